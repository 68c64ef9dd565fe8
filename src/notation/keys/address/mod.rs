//! Addresses, read into parts that compare whatever the notation.

mod american;
mod block;
mod building;
mod cities;
mod japanese;
mod kyoto;
mod numerals;
mod renamed;
mod town;

use super::super::fold::{fold, fold_into, has_japanese};

pub use cities::former_names;
pub(in super::super) use japanese::{PREFECTURES, split_prefecture};
pub use numerals::number as kanji_number;
pub use town::LOOSE;

/// An address in folded parts; never shown to anybody.
///
/// An omitted prefecture, city or building name leaves its part empty, so parts are compared only
/// where both sides have them. [`AddressKey::mark`] is what survives all of that.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct AddressKey {
    /// Prefecture or state, empty where it was left out.
    pub region: String,
    /// 市区町村 or city, empty where it was left out.
    pub city: String,
    /// 町域, or the street with its type and direction shortened (`n main st`).
    pub town: String,
    /// Block numbers or house number, then the unit: `9-12-8-203`, `123-4b`.
    pub numbers: String,
    /// The building's name.
    pub building: String,
    /// The unit alone, empty where there is none: what stands behind the last hyphen of `numbers`.
    pub unit: String,
}

impl AddressKey {
    /// Town and all numbers: equal for spellings of the same door, whatever was left out around them.
    pub fn mark(&self) -> String {
        [&self.town, " ", &self.numbers].concat()
    }

    /// Town and block without the unit: the building, for lists that dropped the unit.
    pub fn block(&self) -> String {
        let mut mark = self.mark();
        mark.truncate(self.block_in(&mark).len());
        mark
    }

    /// [`AddressKey::block`] as the part of [`AddressKey::mark`] that it is.
    pub fn block_in<'a>(&self, mark: &'a str) -> &'a str {
        let numbers = self
            .numbers
            .strip_suffix(self.unit.as_str())
            .unwrap_or(&self.numbers);
        &mark[..self.town.len() + 1 + numbers.trim_end_matches('-').len()]
    }
}

impl std::fmt::Debug for AddressKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AddressKey(redacted)")
    }
}

/// Reads a whole address, or the part of one from the town on. `None` where there is no town or street
/// with a number behind it: a city alone, a name, a building alone.
pub fn address_key(text: &str) -> Option<AddressKey> {
    let mut key = AddressKey::default();
    address_key_into(text, &mut String::new(), &mut key).then_some(key)
}

/// The same in place of what is in `key`; `false` where there is no address. A buffer takes the folded text.
pub fn address_key_into(text: &str, folded: &mut String, key: &mut AddressKey) -> bool {
    if text.len() > 600 {
        return false;
    }
    fold_into(text, folded);
    if has_japanese(text) {
        return japanese::read(folded, key).is_some();
    }
    let read = american::read(folded);
    let found = read.is_some();
    *key = read.unwrap_or_default();
    found
}

/// Folded text with a block's numbers as in `9-12-8`, where it has Japanese counters or kanji numerals: for looking for
/// a street where nobody has told where an address begins.
pub fn hyphenated(folded: &str) -> String {
    numerals::hyphenated(folded)
}

/// The prefecture or state of an address, or of a part of one that names it: `東京都`, `ca`. A prefecture may stand
/// without its last character where nothing follows, as in a column of prefectures. `None` where it was left out.
pub fn region_key(text: &str) -> Option<String> {
    if text.len() > 600 {
        return None;
    }
    let folded = fold(text);
    if !has_japanese(text) {
        let state = folded.len() == 2 && folded.bytes().all(|byte| byte.is_ascii_lowercase());
        let region = match state {
            true => folded,
            false => american::read(&folded)?.region,
        };
        return Some(region).filter(|region| !region.is_empty());
    }
    let text = japanese::without_postcode(&folded).trim();
    let (named, _) = split_prefecture(text);
    let short = |name: &&&str| name.strip_suffix(['都', '府', '県']) == Some(text);
    let named = match named.is_empty() {
        true => *PREFECTURES.iter().find(short)?,
        false => named,
    };
    Some(named.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(text: &str) -> String {
        address_key(text)
            .unwrap_or_else(|| panic!("not read: {text}"))
            .mark()
    }

    #[test]
    fn regions_of_whole_addresses_and_of_columns() {
        let region = |text| region_key(text).unwrap_or_default();
        for text in [
            "東京都千代田区霞が関9-12-8",
            "東京",
            "東京都",
            " 〒100-0013 東京都千代田区",
        ] {
            assert_eq!(region(text), "東京都", "{text}");
        }
        assert_eq!(region("京都府京都市中京区"), "京都府");
        assert_eq!(region("京都"), "京都府");
        assert_eq!(region("CA"), "ca");
        assert_eq!(region("9 Main St, Springfield, IL 62701"), "il");
        for text in [
            "千代田区霞が関9-12-8",
            "東京太郎",
            "Springfield",
            "",
            "9 Main St",
        ] {
            assert_eq!(region(text), "", "{text}");
        }
    }

    #[test]
    fn spellings_of_one_japanese_door_are_equal() {
        for same in [
            &[
                "東京都千代田区霞が関９丁目１２番８号 霞ハイツ２０３号室",
                "東京都千代田区霞が関9丁目12番8号霞ハイツ203号室",
                "千代田区霞ヶ関9-12-8霞ハイツ203",
                "霞が関九丁目12-8-203",
                "東京都千代田区霞ケ関九丁目十二番八号 霞ハイツ 203号",
                "東京都 千代田区 霞が関 9-12-8 203号室",
                "〒100-0013 東京都千代田区霞が関9丁目12-8-203",
                "千代田区霞が関９－１２－８－２０３",
                "霞が関9の12の8の203",
                "東京都千代田区霞が関9ー12ー8 霞ハイツ#203",
                "霞が関９丁目１２番地８号、霞ハイツ２０３",
                "東京都千代田区霞ガ関9丁目 12番 8号　霞ハイツ　２０３号",
                "霞が関九丁目一二番八号霞ハイツ二〇三号室",
            ][..],
            &[
                "北海道札幌市中央区北一条西2丁目3-4",
                "札幌市中央区北1条西2-3-4",
                "北１条西２丁目３番４号",
                "中央区北一条西二丁目3番地4",
            ],
            &[
                "千葉県四街道市大字鹿渡字台1234番地5",
                "四街道市鹿渡台1234-5",
            ],
            &[
                "埼玉県川越市大字古谷上1234番地",
                "川越市古谷上1234",
                "川越市大字古谷上一二三四番地",
            ],
            &["広島県廿日市市天神9-1", "廿日市市天神九丁目1番", "天神9-1"],
            &["千葉県市川市八幡9丁目9番9号", "市川市八幡9-9-9"],
            &["福島県郡山市朝日9-23-7", "郡山市朝日九丁目23番7号"],
            &[
                "北海道余市郡余市町朝日町99",
                "余市郡余市町朝日町九九番地",
                "北海道余市町朝日町99",
            ],
            &[
                "東京都千代田区一番町99",
                "千代田区1番町99番地",
                "一番町九九番地",
            ],
            &[
                "京都府京都市中京区寺町通御池上る上本能寺前町999",
                "京都市中京区寺町通御池上る上本能寺前町999番地",
            ],
            &["東京都千代田区丸の内9-9-9", "千代田区丸ノ内九丁目9番9号"],
            &[
                "名古屋市中区三の丸9丁目9-9",
                "愛知県名古屋市中区三ノ丸9-9-9",
            ],
            &[
                "神奈川県横浜市西区みなとみらい9-9-9 スカイタワー1203",
                "横浜市西区みなとみらい九丁目9番9号スカイタワー１２０３号室",
            ],
            &["大阪府堺市堺区南瓦町9丁9番9号", "堺市堺区南瓦町9-9-9"],
            &[
                "霞が関9-12-8霞ハイツA棟203",
                "霞が関9丁目12番8号 霞ハイツA-203号室",
            ],
            // A counter within the town's name, written or not.
            &[
                "北海道札幌市北区拓北九条九丁目9-12",
                "札幌市北区拓北9-9-9-12",
                "拓北9条9丁目9番12号",
            ],
            &["札幌市中央区南9西9-9-27", "中央区南九条西九丁目9番27号"],
            &[
                "新潟市中央区礎町通九ノ町1999-1",
                "新潟市中央区礎町通9の町1999の1",
            ],
            &[
                "岩手県下閉伊郡普代村第9地割字上村99-25",
                "普代村第九地割上村99番地25",
            ],
            // The way to a quarter of Kyoto.
            &[
                "京都府京都市中京区寺町通御池上る上本能寺前町999",
                "中京区上本能寺前町999番地",
                "京都市中京区寺町通御池上ル上本能寺前町九九九",
            ],
            // Numerals of every kind, and none that tells the block.
            &[
                "和歌山県東牟婁郡串本町串本千九百三十四",
                "東牟婁郡串本町串本一九三四番地",
                "和歌山県串本町串本1934",
                "串本町串本 1934",
            ],
            &[
                "千代田区紀尾井町壱番地九九号",
                "紀尾井町1丿99",
                "紀尾井町1一99",
            ],
            &["町田市木曽東九丁目十四ーイ二十二", "木曽東9-14-イ22"],
            &["千代田区一番町九九番地五", "一番町99-5", "1番町99番地5号"],
            &["港区六本木9-9-9", "6本木九丁目9番9号"],
            // A unit with a letter, a floor, a building that begins with a number.
            &[
                "中央区銀座9-9-9 霞ハイツ301C",
                "銀座9-9-9-301C",
                "銀座9丁目9番9号301C号室",
            ],
            &[
                "中央区銀座9-9-9 霞ビル10F",
                "銀座9-9-9霞ビル10階",
                "銀座9-9-9 10F",
            ],
            &["中央区銀座9-9 1番館", "銀座9-9-1番館", "銀座9丁目9 壱番館"],
            // Names of yesterday.
            &["埼玉県浦和市高砂9-9-9", "さいたま市浦和区高砂9丁目9番9号"],
            &["浜松市中区鴨江9-9-9", "静岡県浜松市中央区鴨江9-9-9"],
            &["熊本県下益城郡城南町宮地999", "熊本市南区城南町宮地999"],
            &[
                "千葉県鎌ヶ谷市くぬぎ山9-9-9",
                "鎌ケ谷市くぬぎ山九丁目9番9号",
            ],
            &["京都府福知山市字裏ノ(南栄町)9", "福知山市裏ノ9番地"],
        ] {
            let marks: Vec<_> = same.iter().map(|text| mark(text)).collect();
            for (text, found) in same.iter().zip(&marks) {
                assert_eq!(found, &marks[0], "{text}");
            }
            let cities = || same.iter().filter_map(|text| address_key(text));
            for (one, other) in
                cities().flat_map(|one| cities().map(move |other| (one.clone(), other)))
            {
                let (one, other) = (one.city, other.city);
                assert!(
                    one.contains(&other) || other.contains(&one),
                    "{one} and {other}"
                );
            }
        }
    }

    #[test]
    fn other_doors_are_not_equal() {
        let mut marks: Vec<_> = [
            "霞が関9-12-8霞ハイツ203",
            "霞が関9-12-8霞ハイツ204",
            "霞が関9-12-8",
            "霞が関9-12-9-203",
            "永田町9-12-8-203",
            "霞が関9-128-203",
            "北一条西2-3-4",
            "北二条西1-3-4",
            "霞が関9-12-8霞ハイツA203",
            "霞が関9-12-8霞ハイツ203A",
            "霞が関9-12-8霞ビル203F",
            "拓北9条9丁目9-12",
            "拓北9条9丁目12-9",
            "南9条西8-9-27",
            "南8条西9-9-27",
            "三番町9-9",
            "二番町9-9",
        ]
        .map(mark)
        .into();
        marks.sort();
        let all = marks.len();
        marks.dedup();
        assert_eq!(marks.len(), all);
    }

    #[test]
    fn the_parts_of_a_japanese_address() {
        let key =
            address_key("神奈川県横浜市港北区日吉本町9丁目12番8号 第2霞ハイツ203号室").unwrap();
        assert_eq!(key.region, "神奈川県");
        assert_eq!(key.city, "横浜市港北区");
        assert_eq!(key.town, "日吉本町");
        assert_eq!(key.numbers, "9-12-8-203");
        assert_eq!(key.building, "第2霞ハイツ");
        assert_eq!(key.unit, "203");
        assert_eq!(key.block(), mark("日吉本町9-12-8"));
    }

    /// What a list may hold by mistake has the key that it has always had: watch lists were made by it.
    #[test]
    fn odd_addresses_keep_their_keys() {
        for (text, key) in [
            ("百0番町ヴ99", "百ヴ -99"),
            ("紀尾井丿4号", "紀尾井 4"),
            ("北一条丿２－1", "北 1-2-1"),
        ] {
            assert_eq!(mark(text), key, "{text}");
        }
    }

    #[test]
    fn spellings_of_one_american_door_are_equal() {
        for same in [
            &[
                "123 N Main St Apt 4B",
                "123 North Main Street, Apt. 4B",
                "123 N. MAIN ST. #4B",
                "123 North Main St Unit 4B",
                "123 N Main Street, Apartment 4-B",
                "123 N Main St Apt 4B, Springfield, IL 62701",
                "123 n main st # 4b",
            ][..],
            &[
                "9 Elm Avenue",
                "9 ELM AVE",
                "9 Elm Ave., Springfield, IL",
                "９ Elm Ave",
            ],
            &["77 Sunset Boulevard Suite 12", "77 Sunset Blvd Ste 12"],
            &["PO Box 999", "P.O. Box 999", "Post Office Box 999"],
            &["5 Southwest 9th Terrace", "5 SW 9th Ter"],
        ] {
            let marks: Vec<_> = same.iter().map(|text| mark(text)).collect();
            for (text, found) in same.iter().zip(&marks) {
                assert_eq!(found, &marks[0], "{text}");
            }
        }
        assert_ne!(mark("123 N Main St Apt 4B"), mark("123 S Main St Apt 4B"));
    }

    #[test]
    fn what_is_no_address_has_no_key() {
        for text in [
            "",
            "東京都",
            "山田太郎",
            "Kako Sample",
            "090-0123-4567",
            "1972-04-01",
            "昭和47年4月1日",
            "kako@mail.example",
            "霞ハイツ",
            "202-555-0123",
            "1972年4月1日",
            "住所1",
            "電話番号2",
        ] {
            assert_eq!(address_key(text).map(|key| key.mark()), None, "{text}");
        }
    }
}
