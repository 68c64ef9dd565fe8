//! Notations: one value in another spelling, which is no error.

use otori::notation::{HashName, Role};
use otori::persona::Locale;
use otori::persona::romaji::{hepburn, passport};
use rand::rngs::StdRng;
use time::Date;

use super::ground::{Row, Table, pick};

/// One notation of one column.
pub struct Edit {
    pub name: &'static str,
    pub locale: Locale,
    pub role: Role,
    /// Whether a row can have it while others have not: a date of two digits cannot.
    pub by_row: bool,
    write: fn(&str, &Row, &mut StdRng) -> String,
}

impl Edit {
    pub fn label(&self) -> String {
        format!("{}: {}", self.role.name(), self.name)
    }

    /// The value in this notation.
    pub fn written(&self, row: &Row, place: usize, rng: &mut StdRng) -> String {
        (self.write)(&row.cells[place], row, rng)
    }

    /// Writes the whole column so.
    pub fn apply(&self, table: &mut Table, rng: &mut StdRng) {
        let Some(place) = table.place(self.role) else {
            return;
        };
        for row in &mut table.rows {
            row.cells[place] = self.written(row, place, rng);
        }
    }
}

macro_rules! edits {
    ($locale:ident, $role:ident: $($name:literal $by_row:literal => $write:expr;)+) => {
        [$(Edit {
            name: $name,
            locale: Locale::$locale,
            role: Role::$role,
            by_row: $by_row,
            write: $write,
        }),+]
    };
}

/// Every notation.
pub fn all() -> Vec<Edit> {
    let mut all = Vec::new();
    all.extend(edits! { JaJp, Name:
        "as it was" true => |text, _, _| text.to_owned();
        "no space" true => |text, _, _| text.replace(' ', "");
        "wide space" true => |text, _, _| text.replace(' ', "\u{3000}");
        "title" true => |text, _, rng| format!("{text}{}", pick(rng, &["様", " 様", "　殿", "さん", " ご家族様"]));
        "old characters" true => |text, _, _| swap(text, FORMS, true);
        "new characters" true => |text, _, _| swap(text, FORMS, false);
        "variation selector" true => |text, _, _| text.chars().enumerate().flat_map(|(at, c)| {
            [Some(c), (at == 0).then_some('\u{E0101}')].into_iter().flatten()
        }).collect();
        "romaji of passports" false => |_, row, _| romaji(row, passport).to_uppercase();
        "romaji as typed, given name first" false => |_, row, _| {
            let spelt = romaji(row, hepburn);
            let (family, given) = spelt.split_once(' ').unwrap_or_default();
            format!("{given} {family}")
        };
        "romaji of schools" false => |_, row, _| {
            let spelt = romaji(row, hepburn).replace("shi", "si").replace("chi", "ti");
            spelt.replace("tsu", "tu").replace("fu", "hu").replace("ji", "zi").replace("sh", "sy")
        };
    });
    all.extend(edits! { JaJp, NameKana:
        "as it was" true => |text, _, _| text.to_owned();
        "half width" true => |text, _, _| half_width(text);
        "hiragana" true => |text, _, _| shift(text, 'ァ', 'ヶ', -0x60);
        "large kana" true => |text, _, _| swap(text, SMALL, true);
        "long marks" true => |text, _, _| text.replace("オオ", "オー").replace("ョウ", "ョー").replace("コウ", "コー").replace("ユウ", "ユー");
        "no long vowels" true => |text, _, _| text.replace("オオ", "オ").replace("ョウ", "ョ").replace("コウ", "コ").replace("ユウ", "ユ");
        "no space" true => |text, _, _| text.replace(' ', "");
        "title" true => |text, _, _| format!("{text} サマ");
    });
    all.extend(edits! { JaJp, Address:
        "as it was" true => |text, _, _| text.to_owned();
        "hyphens" true => |text, _, _| hyphens(text, "-");
        "wide" true => |text, _, _| wide(text);
        "wide hyphens" true => |text, _, _| wide(&hyphens(text, "-"));
        "dashes of every kind" true => |text, _, rng| {
            let dash = pick(rng, &["‐", "‑", "‒", "–", "—", "―", "−", "－", "ー", "ｰ", "─", "━"]);
            hyphens(text, dash)
        };
        "の" true => |text, _, rng| hyphens(text, pick(rng, &["の", "ノ", "ﾉ", "之"]));
        "kanji numerals" true => |text, _, _| kanji_numerals(text, false);
        "kanji digits" true => |text, _, _| kanji_numerals(text, true);
        "no prefecture" true => |text, row, _| without(text, &[&row.household.address.region]);
        "no prefecture, no city" true => |text, row, _| {
            let address = &row.household.address;
            without(text, &[&address.region, &address.city])
        };
        "no county, no ward" true => |text, row, _| {
            let city = &row.household.address.city;
            let county = city.split_once('郡').filter(|(_, rest)| rest.chars().count() > 1);
            let ward = city.split_once('市').filter(|(_, ward)| ward.ends_with('区'));
            match (county, ward) {
                (Some((_, village)), _) => text.replacen(city.as_str(), village, 1),
                (_, Some((city, ward))) => text.replacen(&format!("{city}市{ward}"), &format!("{city}市"), 1),
                _ => text.to_owned(),
            }
        };
        "大字" true => |text, row, _| {
            let town = &row.household.address.town;
            text.replacen(town.as_str(), &format!("大字{town}"), 1)
        };
        "ヶ and ノ" true => |text, _, rng| {
            let small = pick(rng, &['ヶ', 'ケ', 'が', 'ガ']);
            let no = pick(rng, &['の', 'ノ']);
            let is_small = |c: char| matches!(c, 'ヶ' | 'ケ');
            let chars = text.chars();
            chars.map(|c| if is_small(c) { small } else if c == 'ノ' { no } else { c }).collect()
        };
        "building without a space" true => |text, _, _| text.replace(' ', "");
        "room without its word" true => |text, _, _| text.replace("号室", "");
        "spaces everywhere" true => |text, row, _| {
            let address = &row.household.address;
            let town = &address.town;
            let text = text.replacen(&address.city, &format!(" {} ", address.city), 1);
            text.replacen(town.as_str(), &format!("{town}\u{3000}"), 1)
        };
        "room behind the block" true => |text, row, _| {
            let address = &row.household.address;
            let head = hyphens(text, "-");
            let head = head.split(' ').next().unwrap_or_default();
            match &address.unit {
                Some(unit) if head.matches('-').count() >= 1 => format!("{head}-{unit}"),
                _ => text.to_owned(),
            }
        };
    });
    all.extend(edits! { JaJp, Postcode:
        "no hyphen" true => |text, _, _| text.replace('-', "");
        "mark" true => |text, _, _| format!("〒{text}");
        "wide" true => |text, _, _| wide(text);
    });
    all.extend(edits! { JaJp, Phone:
        "as it was" true => |text, _, _| text.to_owned();
        "digits" true => |text, _, _| digits(text);
        "lost zero" true => |text, _, _| digits(text).trim_start_matches('0').to_owned();
        "+81" true => |text, _, _| text.replacen('0', "+81-", 1);
        "+81 (0)" true => |text, _, _| format!("+81 ({}){}", &text[..1], &text[1..]);
        "0081" true => |text, _, _| text.replacen('0', "0081 ", 1);
        "brackets" true => |text, _, _| text.replacen('-', "(", 1).replacen('-', ")", 1);
        "spaces" true => |text, _, _| text.replace('-', " ");
        "wide" true => |text, _, _| wide(text);
        "label" true => |text, _, _| format!("TEL:{text}");
        "extension" true => |text, _, _| format!("{text} 内線12");
        "SHA-256 of digits" false => |text, _, _| hash(HashName::Sha256, &digits(text));
        "MD5 of E.164" false => |text, _, _| hash(HashName::Md5, &digits(text).replacen('0', "+81", 1));
    });
    for locale in [Locale::JaJp, Locale::EnUs] {
        all.extend(
            edits! { JaJp, Email:
                "as it was" true => |text, _, _| text.to_owned();
                "capitals" true => |text, _, _| text.to_uppercase();
                "plus tag" true => |text, _, _| text.replacen('@', "+shop@", 1);
                "wide" true => |text, _, _| wide(text);
                "mailto" true => |text, _, _| format!("mailto:{text}");
                "angle brackets" true => |text, _, _| format!("Customer <{text}>");
                "SHA-256" false => |text, _, _| hash(HashName::Sha256, text);
                "SHA-256 in capitals" false => |text, _, _| hash(HashName::Sha256, text).to_uppercase();
                "SHA-1 in Base64" false => |text, _, _| base64(&hash(HashName::Sha1, text));
                "MD5" false => |text, _, _| hash(HashName::Md5, text);
            }
            .map(|edit| Edit { locale, ..edit }),
        );
        all.extend(
            edits! { JaJp, BirthDate:
                "as it was" true => |text, _, _| text.to_owned();
                "slashes" true => |text, _, _| text.replace('-', "/");
                "dots" true => |text, _, _| text.replace('-', ".");
                "digits" true => |text, _, _| text.replace('-', "");
                "with time" true => |text, _, _| format!("{text} 00:00:00");
                "month first" false => |_, row, _| { let (y, m, d) = day(row); format!("{m:02}/{d:02}/{y}") };
                "day first" false => |_, row, _| { let (y, m, d) = day(row); format!("{d:02}/{m:02}/{y}") };
                "two digits" false => |_, row, _| { let (y, m, d) = day(row); format!("{:02}/{m:02}/{d:02}", y % 100) };
                "spreadsheet" true => |_, row, _| serial(row);
            }
            .map(|edit| Edit { locale, ..edit }),
        );
    }
    all.extend(edits! { JaJp, BirthDate:
        "era" true => |_, row, _| { let (era, _, y, m, d) = era(row); format!("{era}{y}年{m}月{d}日") };
        "era by its letter" true => |_, row, _| { let (_, letter, y, m, d) = era(row); format!("{letter}{y}.{m}.{d}") };
        "kanji" true => |_, row, _| { let (y, m, d) = day(row); format!("{y}年{m}月{d}日") };
        "first year" true => |_, row, _| {
            let (era, _, y, m, d) = era(row);
            let y = if y == 1 { "元".to_owned() } else { y.to_string() };
            wide(&format!("{era}{y}年{m}月{d}日"))
        };
    });
    all.extend(edits! { EnUs, Name:
        "as it was" true => |text, _, _| text.to_owned();
        "family first" true => |text, _, _| {
            let (given, family) = text.split_once(' ').unwrap_or(("", text));
            format!("{family}, {given}")
        };
        "capitals" true => |text, _, _| text.to_uppercase();
        "title" true => |text, _, _| format!("Mrs. {text}");
        "initial" true => |text, _, _| text.replacen(' ', " Q. ", 1);
    });
    all.extend(edits! { EnUs, Address:
        "as it was" true => |text, _, _| text.to_owned();
        "capitals" true => |text, _, _| text.to_uppercase();
        "#" true => |text, _, _| text.replace(" Apt ", " #");
        "comma" true => |text, _, _| text.replace(" Apt ", ", Apt. ");
        "words" true => |text, _, _| text.replace(" Apt ", " Apartment ").replace(" St", " Street").replace("Streetreet", "Street");
    });
    all.extend(edits! { EnUs, Phone:
        "as it was" true => |text, _, _| text.to_owned();
        "digits" true => |text, _, _| digits(text);
        "+1" true => |text, _, _| format!("+1{}", digits(text));
        "dots" true => |text, _, _| { let d = digits(text); format!("{}.{}.{}", &d[..3], &d[3..6], &d[6..]) };
        "extension" true => |text, _, _| format!("{text} x12");
    });
    all.extend(edits! { EnUs, BirthDate:
        "month's name" true => |_, row, _| {
            let born = row.household.guardian.birth;
            format!("{} {}, {}", born.month(), born.day(), born.year())
        };
    });
    all
}

/// New and old forms.
const FORMS: &[(char, char)] = &[
    ('高', '髙'),
    ('崎', '﨑'),
    ('辺', '邉'),
    ('斉', '齋'),
    ('沢', '澤'),
    ('浜', '濱'),
    ('島', '嶋'),
    ('広', '廣'),
    ('国', '國'),
    ('吉', '𠮷'),
    ('桜', '櫻'),
    ('恵', '惠'),
    ('真', '眞'),
    ('竜', '龍'),
    ('栄', '榮'),
    ('徳', '德'),
    ('富', '冨'),
    ('桧', '檜'),
    ('滝', '瀧'),
    ('関', '關'),
    ('豊', '豐'),
    ('蔵', '藏'),
    ('塩', '鹽'),
    ('条', '條'),
    ('聡', '聰'),
    ('渕', '淵'),
    ('館', '舘'),
    ('峰', '峯'),
    ('槙', '槇'),
    ('礼', '禮'),
];

const SMALL: &[(char, char)] = &[
    ('ャ', 'ヤ'),
    ('ュ', 'ユ'),
    ('ョ', 'ヨ'),
    ('ッ', 'ツ'),
    ('ェ', 'エ'),
    ('ァ', 'ア'),
    ('ィ', 'イ'),
    ('ォ', 'オ'),
];

fn swap(text: &str, pairs: &[(char, char)], forth: bool) -> String {
    let one = |c: char| {
        let pair = pairs.iter().find(|(a, b)| c == if forth { *a } else { *b });
        pair.map_or(c, |(a, b)| if forth { *b } else { *a })
    };
    text.chars().map(one).collect()
}

fn shift(text: &str, from: char, to: char, by: i32) -> String {
    let one = |c: char| {
        let moved = (c as u32).checked_add_signed(by).and_then(char::from_u32);
        if (from..=to).contains(&c) {
            moved.unwrap_or(c)
        } else {
            c
        }
    };
    text.chars().map(one).collect()
}

/// ASCII as full-width letters and digits.
pub fn wide(text: &str) -> String {
    shift(text, '!', '~', 0xFEE0)
}

fn half_width(text: &str) -> String {
    let wide = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォャュョッー";
    let half = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｬｭｮｯｰ";
    let voiced = "ガギグゲゴザジズゼゾダヂヅデドバビブベボ";
    let bare = "ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ";
    let find = |in_: &str, out: &str, c: char| {
        in_.chars()
            .position(|w| w == c)
            .and_then(|at| out.chars().nth(at))
    };
    let mut out = String::new();
    for c in text.chars() {
        if let Some(plain) = find(wide, half, c) {
            out.push(plain);
        } else if let Some(plain) = find(voiced, bare, c) {
            out.extend([plain, 'ﾞ']);
        } else if let Some(plain) = find("パピプペポ", "ﾊﾋﾌﾍﾎ", c) {
            out.extend([plain, 'ﾟ']);
        } else {
            out.push(c);
        }
    }
    out
}

fn romaji(row: &Row, spell: fn(&str) -> String) -> String {
    let person = &row.household.guardian;
    spell(&format!("{} {}", person.family.kana, person.given.kana))
}

fn hyphens(text: &str, dash: &str) -> String {
    let text = text.replace("丁目", dash).replace("番地", dash);
    let (block, building) = text.split_once(' ').unwrap_or((&text, ""));
    let block = block.replace('番', dash).replace('号', "");
    let block = block.trim_end_matches(dash);
    if building.is_empty() {
        block.to_owned()
    } else {
        format!("{block} {building}")
    }
}

fn kanji_numerals(text: &str, places: bool) -> String {
    let (block, building) = text.split_once(' ').unwrap_or((text, ""));
    let mut out = String::new();
    let mut rest = block;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let behind = rest[start..].trim_start_matches(|c: char| c.is_ascii_digit());
        let number = &rest[start..rest.len() - behind.len()];
        out.push_str(&rest[..start]);
        out.push_str(&numeral(number, places));
        rest = behind;
    }
    out.push_str(rest);
    if building.is_empty() {
        out
    } else {
        format!("{out} {building}")
    }
}

fn numeral(number: &str, places: bool) -> String {
    let digit = |c: u32| {
        "〇一二三四五六七八九"
            .chars()
            .nth(c as usize)
            .unwrap_or('〇')
    };
    let value: u32 = number.parse().unwrap_or(0);
    if places || value == 0 {
        return number
            .chars()
            .filter_map(|c| c.to_digit(10))
            .map(digit)
            .collect();
    }
    let mut out = String::new();
    for (unit, mark) in [(1000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let count = value / unit % 10;
        if count > 1 || count == 1 && unit == 1 {
            out.push(digit(count));
        }
        if count > 0 {
            out.push_str(mark);
        }
    }
    out
}

fn without(text: &str, parts: &[&String]) -> String {
    let mut rest = text;
    for part in parts {
        rest = rest.strip_prefix(part.as_str()).unwrap_or(rest);
    }
    rest.to_owned()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn hash(hash: HashName, text: &str) -> String {
    let key = hash.key_of(text);
    key[key.find(':').map_or(0, |at| at + 1)..].to_owned()
}

fn base64(hex: &str) -> String {
    use base64::Engine;
    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap_or(0);
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(pair).collect();
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn day(row: &Row) -> (i32, u8, u8) {
    let born = row.household.guardian.birth;
    (born.year(), born.month().into(), born.day())
}

fn serial(row: &Row) -> String {
    let epoch = Date::from_calendar_date(1899, time::Month::December, 30);
    let epoch = epoch.expect("a date");
    (row.household.guardian.birth - epoch)
        .whole_days()
        .to_string()
}

fn era(row: &Row) -> (&'static str, char, i32, u8, u8) {
    let (year, month, day) = day(row);
    let (name, letter, first) = match (year, month, day) {
        (2019.., 5.., _) | (2020.., ..) => ("令和", 'R', 2019),
        (1990.., ..) | (1989, 2.., _) | (1989, 1, 8..) => ("平成", 'H', 1989),
        (1927.., ..) | (1926, 12, 25..) => ("昭和", 'S', 1926),
        _ => ("大正", 'T', 1912),
    };
    (name, letter, year - first + 1, month, day)
}
