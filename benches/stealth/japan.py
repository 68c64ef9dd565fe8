"""Two Japanese tables: households of a chain of cram schools, and a web shop."""
import collections
import datetime as dt

from life import EVEN, OPEN, ROUND_THE_CLOCK, SHOP_WEEK, Weighted, birth, keys, seeds, signups, taste

TODAY = dt.date(2026, 11, 1)

# What no seed table has: parts of surnames and of given names, words of buildings.
FIRST = [("蓮", "ハス"), ("霧", "キリ"), ("鳴", "ナル"), ("葛", "クズ"), ("渚", "ナギ"), ("椋", "ムク"), ("鷺", "サギ"), ("楢", "ナラ"), ("篠", "シノ"),
         ("樫", "カシ"), ("萱", "カヤ"), ("榎", "エノ"), ("菱", "ヒシ"), ("朽", "クチ"), ("弓", "ユミ"), ("冨", "トミ"), ("糸", "イト"), ("碓", "ウス")]
SECOND = [("ヶ谷", "ガヤ"), ("ノ瀬", "ノセ"), ("之内", "ノウチ"), ("ヶ原", "ガハラ"), ("久保", "クボ"), ("名", "ナ"), ("倉", "クラ"), ("江", "エ"), ("城", "シロ"),
          ("辺", "ベ"), ("代", "シロ"), ("見", "ミ"), ("越", "コシ"), ("畑", "ハタ"), ("迫", "サコ"), ("垣内", "ガイト"), ("ケ丘", "ガオカ")]
NEW_F = [("結", "ユ"), ("陽", "ヒ"), ("心", "ココ"), ("咲", "サ"), ("莉", "リ"), ("愛", "ア"), ("凛", "リ"), ("美", "ミ"), ("彩", "サ"), ("琉", "ル"), ("菜", "ナ"), ("月", "ツキ")]
NEW_F2 = [("愛", "ア"), ("花", "カ"), ("乃", "ノ"), ("音", "ネ"), ("那", "ナ"), ("羽", "ハ"), ("桜", "オ"), ("葵", "キ"), ("良", "ラ"), ("海", "ミ"), ("々菜", "ナナ"), ("衣奈", "イナ")]
NEW_M = [("颯", "ハヤ"), ("琉", "リュウ"), ("湊", "ミナ"), ("蒼", "ソウ"), ("煌", "コウ"), ("悠", "ユウ"), ("陽", "ハル"), ("大", "ダイ"), ("碧", "アオ"), ("怜", "レ"), ("空", "ソラ"), ("瑛", "エイ")]
NEW_M2 = [("斗", "ト"), ("真", "マ"), ("汰", "タ"), ("翔", "ト"), ("希", "キ"), ("介", "スケ"), ("士", "シ"), ("輝", "キ"), ("仁", "ト"), ("一郎", "イチロウ"), ("太朗", "タロウ"), ("馬", "マ")]
HOUSES = ["グランシャリオ", "アルカディア", "シティパル", "ロイヤルメゾン", "エクセル", "パークヒルズ", "サンヴェール", "プレステージ", "リバーサイド", "アーバンライフ", "第二", "コーポラス", "グリーンビュー",
          "ベルメゾン", "セントラル", "フォレスト", "ドミール", "ヴィラ", "カーサ", "レジデンス"]
KINDS = ["ハイツ", "マンション", "コーポ", "荘", "レジデンス", "ハイム", "コート", "テラス", "パレス", "ガーデン", "ヒルズ", "団地"]

ROMAJI = dict(zip(
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポヴ",
    "a i u e o ka ki ku ke ko sa shi su se so ta chi tsu te to na ni nu ne no ha hi fu he ho ma mi mu me mo ya yu yo ra ri ru re ro wa o n "
    "ga gi gu ge go za ji zu ze zo da ji zu de do ba bi bu be bo pa pi pu pe po v".split()))


def romaji(kana):
    """Hepburn, with long vowels as written."""
    out, double = "", False
    for sign in kana:
        if sign in "ャュョ":
            base = out[:-1]
            out = base + ("" if base.endswith(("sh", "ch", "j")) else "y") + {"ャ": "a", "ュ": "u", "ョ": "o"}[sign]
            continue
        if sign == "ッ":
            double = True
            continue
        part = ROMAJI.get(sign, "")
        out += (part[:1] if double else "") + part
        double = False
    return out


HALF = str.maketrans({chr(full): half for full, half in zip(
    range(0x30A1, 0x30F5),
    "ｧ ｱ ｨ ｲ ｩ ｳ ｪ ｴ ｫ ｵ ｶ ｶﾞ ｷ ｷﾞ ｸ ｸﾞ ｹ ｹﾞ ｺ ｺﾞ ｻ ｻﾞ ｼ ｼﾞ ｽ ｽﾞ ｾ ｾﾞ ｿ ｿﾞ ﾀ ﾀﾞ ﾁ ﾁﾞ ｯ ﾂ ﾂﾞ ﾃ ﾃﾞ ﾄ ﾄﾞ ﾅ ﾆ ﾇ ﾈ ﾉ ﾊ ﾊﾞ ﾊﾟ ﾋ ﾋﾞ ﾋﾟ ﾌ ﾌﾞ ﾌﾟ ﾍ ﾍﾞ ﾍﾟ ﾎ ﾎﾞ ﾎﾟ "
    "ﾏ ﾐ ﾑ ﾒ ﾓ ｬ ﾔ ｭ ﾕ ｮ ﾖ ﾗ ﾘ ﾙ ﾚ ﾛ ﾜ ﾜ ｲ ｴ ｦ ﾝ ｳﾞ".split())} | {"ー": "ｰ", "　": " "})
WIDE = str.maketrans("0123456789-", "０１２３４５６７８９－")


class Land:
    """People and places of Japan, with regional and generational habits."""

    def __init__(self, rng, prefectures):
        self.rng = rng
        self.names = {row["code"]: row["name"] for row in seeds("ja_JP/prefectures.csv")}
        self.flats = {row["code"]: int(row["flats_percent"]) / 100 for row in seeds("ja_JP/prefectures.csv")}
        cities = [row for row in seeds("ja_JP/cities.csv") if row["prefecture"] in prefectures]
        self.city_names = {row["code"]: row["name"] for row in cities}
        self.city_of = {pref: Weighted([(row["code"], float(row["weight"]) * taste("city", row["code"], spread=0.8))
                                        for row in cities if row["prefecture"] == pref]) for pref in prefectures}
        area = {row["city"]: row for row in seeds("ja_JP/landlines.csv")}
        self.never = {code: (area[code]["area_code"], area[code]["never_issued"]) for code in self.city_names if code in area}
        towns = collections.defaultdict(list)
        for row in seeds("ja_JP/towns.csv.gz"):
            if row["city"] in self.city_names and row["kind"] == "home" and "（" not in row["town"]:
                towns[row["city"]].append((row, taste("town", row["postcode"], row["town"], spread=1.3)))
        self.towns = {city: Weighted(rows) for city, rows in towns.items()}
        self.family = [(row["kanji"], row["kana"], float(row["weight"])) for row in seeds("ja_JP/family_names.csv.gz")]
        self.by_region = {}
        eras = collections.defaultdict(list)
        for row in seeds("ja_JP/given_name_eras.csv"):
            eras[(int(row["year"]) // 10 * 10, row["sex"])].append(((row["kanji"], row["kana"]), float(row["weight"])))
        self.eras = {key: Weighted(rows) for key, rows in eras.items()}
        styles = collections.defaultdict(list)
        for row in seeds("ja_JP/given_names.csv.gz"):
            styles[(row["sex"], row["style"])].append(((row["kanji"], row["kana"]), float(row["weight"])))
        self.styles = {key: Weighted(rows) for key, rows in styles.items()}
        self.blocks = {}
        self.buildings = {}

    def surname(self, pref):
        rng = self.rng
        if rng.random() < 0.035:
            one, two = FIRST[int(len(FIRST) * rng.random() ** 1.5)], SECOND[int(len(SECOND) * rng.random() ** 1.5)]
            return one[0] + two[0], one[1] + two[1]
        if pref not in self.by_region:
            self.by_region[pref] = Weighted([((kanji, kana), weight * taste("name", pref, kanji, spread=0.9)) for kanji, kana, weight in self.family])
        return self.by_region[pref].draw(rng)

    def given(self, sex, year):
        rng = self.rng
        luck = rng.random()
        if year >= 2004 and luck < 0.22:
            one, two = rng.choice(NEW_F if sex == "F" else NEW_M), rng.choice(NEW_F2 if sex == "F" else NEW_M2)
            return one[0] + two[0], one[1] + two[1]
        if luck < 0.40:
            style = "new" if year >= 1985 and rng.random() < 0.6 else "old" if year < 1960 and rng.random() < 0.5 else "any"
            if (sex, style) in self.styles:
                return self.styles[(sex, style)].draw(rng)
        era = min((key for key in self.eras if key[1] == sex), key=lambda key: abs(key[0] - (year + rng.gauss(0, 3))))
        return self.eras[era].draw(rng)

    def address(self, pref, city=None):
        """A dwelling: parts, and whether it is a flat. Blocks and buildings of a town are few and come again."""
        rng = self.rng
        for _ in range(20):
            city = city or self.city_of[pref].draw(rng)
            if city in self.towns:
                break
            city = None
        row = self.towns[city].draw(rng)
        place = (city, row["town"])
        if place not in self.blocks:
            self.blocks[place] = (rng.randint(2, 6), rng.randint(8, 40))
        chomes, numbers = self.blocks[place]
        chome = 1 + int(chomes * rng.random() ** 1.3) if row["has_chome"] == "1" else None

        def block():
            shape = rng.random()
            ban, go = rng.randint(1, numbers), rng.randint(1, 24)
            if chome is None:
                return [str(rng.randint(1, 40) * numbers)] if shape < 0.35 else [str(rng.randint(1, 900)), str(go)]
            return [str(chome), str(ban), str(go)] if shape < 0.88 else [str(chome), str(ban)]
        home = {"postcode": row["postcode"], "pref": self.names[pref], "city": self.city_names[city], "code": city, "town": row["town"], "building": None, "unit": None}
        if rng.random() < self.flats[pref] * 0.9:
            known = self.buildings.setdefault(place, [])
            if not known or rng.random() < 1.5 / (len(known) + 1):
                name = rng.choice(HOUSES) + rng.choice(KINDS) if rng.random() < 0.5 else rng.choice([row["town"], self.surname(pref)[0]])[:4] + rng.choice(KINDS)
                known.append((name, block(), rng.randint(2, 14), rng.randint(2, 9)))
            name, home["block"], floors, rooms = known[int(len(known) * rng.random() ** 1.6)]
            home["building"], home["unit"] = name, f"{rng.randint(1, floors)}{rng.randint(1, rooms):02}"
        else:
            home["block"] = block()
        return home

    def mobile(self, year):
        rng = self.rng
        prefix = "090" if rng.random() < (0.75 if year < 1985 else 0.55) else "070"  # 080-0 would be 0800, a free-phone number
        return f"{prefix}-0{int(rng.betavariate(1.4, 1.2) * 1000):03}-{rng.randrange(10000):04}"

    def landline(self, city):
        code, never = self.never.get(city, ("03", "030"))
        rest = never[len(code):] + f"{self.rng.randrange(10 ** (10 - len(never))):0{10 - len(never)}}"
        return f"{code}-{rest[:-4]}-{rest[-4:]}"


def written(home, style):
    """Town and block as this hand writes them."""
    parts = home["block"]
    if style == "kanji" and len(parts) == 3:
        text = f"{parts[0]}丁目{parts[1]}番{parts[2]}号"
    elif style == "mixed" and len(parts) >= 2:
        text = f"{parts[0]}丁目" + "-".join(parts[1:])
    elif style == "banchi" and len(parts) < 3:
        text = "-".join(parts) + "番地"
    else:
        text = "-".join(parts)
    return home["town"] + (text.translate(WIDE) if style == "wide" else text)


def household(rng, count):
    """会員: guardian and child, no mail address."""
    prefectures = ["11", "12", "13", "14", "08", "09", "10", "23"]
    land = Land(rng, prefectures)
    stores = []
    for number, pref in enumerate(Weighted([("13", 6), ("11", 5), ("14", 4), ("12", 4), ("08", 2), ("09", 1.5), ("10", 1), ("23", 2)]).draw(rng) for _ in range(36)):
        stores.append((f"{pref}{number + 1:03}", pref, land.city_of[pref].draw(rng), rng.lognormvariate(0, 0.7)))
    opened = Weighted([(store, store[3]) for store in stores])
    styles = {}
    rows, last = [], None
    times = signups(rng, count, dt.date(2009, 4, 1), TODAY, OPEN, SHOP_WEEK)
    for key, at in zip(keys(rng, count, 100312), times):
        store = opened.draw(rng)
        channel = "web" if rng.random() < max(0, (at.year - 2012) * 0.045) else "paper" if at.year < 2016 and rng.random() < 0.3 else "store"
        # A clerk writes as he always does; clerks change with the years.
        clerk = (store[0], (at.year + hash_of(store[0])) // 3) if channel != "web" else ("web", rng.randrange(5))
        if clerk not in styles:
            styles[clerk] = (Weighted([("plain", 6), ("wide", 3), ("kanji", 1), ("mixed", 1.5), ("banchi", 1)]).draw(rng),
                             Weighted([("　", 8), (" ", 1.5), ("", 1)]).draw(rng), rng.random() < 0.35)
        style, space, with_pref = styles[clerk]
        if rng.random() < 0.06:
            style = rng.choice(["plain", "wide", "mixed"])
        grade = Weighted([(age, weight) for age, weight in zip(range(3, 18), [2, 3, 5, 7, 6, 6, 7, 9, 10, 12, 14, 13, 8, 6, 5])]).draw(rng)
        child_birth = birth(rng, grade, at.date())
        sex = rng.choice("MF") if rng.random() < 0.9 else "M"
        sibling = last is not None and rng.random() < 0.045
        if sibling:
            family, guardian, home, phone, store = last
        else:
            home = land.address(store[1], store[2] if rng.random() < 0.72 else None)
            family = land.surname(store[1])
            mother = rng.random() < (0.45 if at.year < 2015 else 0.72)
            guardian = land.given("F" if mother else "M", child_birth.year - int(rng.gauss(31, 5)))
            fixed = rng.random() < max(0.12, 0.75 - (at.year - 2009) * 0.045)
            phone = land.landline(home["code"]) if fixed else land.mobile(child_birth.year - 31)
            last = (family, guardian, home, phone, store)
        child = land.given(sex, child_birth.year)
        kana_space = space if space else "　"
        kana = [family[1] + kana_space + guardian[1], family[1] + kana_space + child[1]]
        if at < dt.datetime(2013, 10, 1) and channel != "web":
            kana = [text.translate(HALF) for text in kana]
        if channel == "paper" and rng.random() < 0.12:
            kana[0] = None
        building = None
        if home["building"]:
            room = home["unit"] + ("号室" if style in ("kanji",) or rng.random() < 0.08 else "")
            building = home["building"] + ("" if rng.random() < 0.3 else "　" if style == "wide" else " ") + (room.translate(WIDE) if style == "wide" else room)
        elif at < dt.datetime(2013, 10, 1):
            building = ""
        plan = Weighted([("週1", 5 - grade / 6), ("週2", 4), ("週3", 1 + grade / 6), ("講習", 2), ("退会", 2 + (2026 - at.year) * 1.1)]).draw(rng)
        points = 0 if rng.random() < 0.3 else int(rng.lognormvariate({"週1": 5, "週2": 5.6, "週3": 6.1, "講習": 4, "退会": 4.2}[plan], 0.8)) // 10 * 10
        note = None
        if rng.random() < 0.07:
            note = rng.choice(["兄在籍", "姉在籍", "振替希望", "体験のみ", "紹介", "転居予定", "口座未提出", "曜日変更希望", "夏期講習のみ", "DM不要", "電話は18時以降", "アレルギーあり"])
        rows.append((key, family[0] + space + guardian[0], kana[0], family[0] + space + child[0], kana[1],
                     f"{home['postcode'][:3]}-{home['postcode'][3:]}",
                     (home["pref"] if with_pref else "") + home["city"] + written(home, style), building,
                     phone if at.year >= 2011 or channel == "web" else phone.replace("-", ""),
                     None if channel == "paper" and rng.random() < 0.15 else child_birth.isoformat(),
                     {"M": "男", "F": "女"}[sex], store[0] if channel != "web" or rng.random() < 0.8 else None, channel, plan,
                     int(rng.random() < (0.55 if plan == "退会" else 0.85)), points, note, at.strftime("%Y-%m-%d"), at.strftime("%Y-%m-%d %H:%M:%S")))
    columns = ["会員番号 integer primary key autoincrement", "保護者氏名 text not null", "保護者フリガナ text", "お子様氏名 text not null", "お子様フリガナ text", "郵便番号 text not null",
               "住所 text not null", "建物名 text", "電話番号 text not null", "お子様生年月日 text", "お子様性別 text not null", "校舎 text", "申込経路 text not null", "コース text not null",
               "DM可 integer not null", "ポイント integer not null", "備考 text", "入会日 text not null", "登録日時 text not null"]

    def pool(want):
        out = []
        made = [land.address(store[1], store[2] if rng.random() < 0.72 else None) for store in (opened.draw(rng) for _ in range(want))]
        for home in made:
            text = home["pref"] + home["city"] + home["town"] + "-".join(home["block"]) + (" " + home["building"] if home["building"] else "")
            first = int(home["unit"] or 0)
            out.append(("drop", "", home["postcode"], text, f"{first}-{first + 2}" if first else "none", ""))
        out += [("phone", land.mobile(rng.randint(1965, 1995)), "", "", "", "2") for _ in range(want)]
        out += [("phone", land.landline(home["code"]), "", "", "", "2") for home in made]
        return out
    return "会員", columns, rows, pool


def hash_of(text):
    return sum(map(ord, text))


WORDS = "sakura neko momo hana sora umi yuki hoshi tora kuma panda chibi piyo maron coco mugi lucky smile happy blue rose moon star cafe music soccer golf fishing bike tennis ramen dango".split()
TAIL = [f"{a}{b}.example" for a in ("kk-", "net", "plala-", "oct-", "biz", "tcn-", "cable", "info-") for b in ("tama", "asahi", "minato", "sumire", "kita", "office", "home", "musashi", "tokai", "works", "zoo", "ring")]


def local_part(rng, family, given, born):
    """A mail local part: mostly of the name, in the owner's own way, else of a word."""
    first, last = romaji(given[1]), romaji(family[1])
    style = rng.random()
    if style < 0.24:
        base = rng.choice(WORDS) + rng.choice(["", rng.choice(WORDS), first[:4], "_" + rng.choice(WORDS), "-" + first[:3]])
    elif style < 0.46:
        base = first + rng.choice([".", "_", "", "-"]) + last
    elif style < 0.62:
        base = last + rng.choice([".", "_", "", ""]) + first
    elif style < 0.76:
        base = first[:1] + rng.choice([".", "", "-"]) + last
    elif style < 0.9:
        base = first + (rng.choice(WORDS) if rng.random() < 0.2 else "")
    else:
        base = last + first[:1]
    tail = rng.random()
    if tail < 0.18:
        base += f"{born.month:02}{born.day:02}"
    elif tail < 0.28:
        base += f"{born.year % 100:02}"
    elif tail < 0.33:
        base += str(born.year)
    elif tail < 0.52:
        base += str(rng.randrange(10 ** rng.randint(1, 3)))
    return base.strip(".-_")


def mail_domain(rng, age, year):
    mobile = max(0.3, 9 - (year - 2010) * 0.75)
    return Weighted([("gmail.example", 4 + (year - 2010) * 0.9 + max(0, 45 - age) * 0.15), ("yahoo-jp.example", 6 + age * 0.05), ("docomo.example", mobile), ("ezweb.example", mobile * 0.7),
                     ("softbank.example", mobile * 0.5), ("icloud.example", 1 + max(0, 40 - age) * 0.12 + (year - 2012) * 0.1), ("hotmail.example", 1.4 if year < 2016 else 0.5),
                     ("outlook.example", 0.6), ("nifty-mail.example", age * 0.014), ("ocn-mail.example", age * 0.012), ("biglobe-mail.example", age * 0.008), ("me-mail.example", 0.3),
                     ("live-mail.example", 0.3), ("au-mail.example", 0.5 if year > 2018 else 0.05), ("tail", 1.1)]).draw(rng)


def shop(rng, count):
    """customers: a web shop, mail address and all."""
    prefectures = [f"{code:02}" for code in range(1, 48)]
    land = Land(rng, prefectures)
    people = {row["code"]: float(row["population"]) for row in seeds("ja_JP/prefectures.csv")}
    where = Weighted([(code, people[code] * taste("reach", code, spread=0.3) * (1.5 if code in ("13", "14", "27") else 1)) for code in prefectures])
    tails = Weighted([(domain, 1 / (rank + 2)) for rank, domain in enumerate(TAIL)])
    used, rows = set(), []
    times = signups(rng, count, dt.date(2010, 6, 1), TODAY, ROUND_THE_CLOCK, EVEN)

    def mail(family, given, born, at):
        domain = mail_domain(rng, at.year - born.year, at.year)
        domain = tails.draw(rng) if domain == "tail" else domain
        while True:
            local = local_part(rng, family, given, born)
            if len(local) > 3 and (local, domain) not in used:
                used.add((local, domain))
                return f"{local}@{domain}"

    def person(at):
        pref = where.draw(rng)
        sex = "F" if rng.random() < 0.63 else "M"
        age = min(84, max(18, rng.gauss(37 + (at.year - 2010) * 0.5, 12)))
        born = birth(rng, age, at.date())
        return pref, sex, born, land.surname(pref), land.given(sex, born.year)

    for key, at in zip(keys(rng, count, 5001), times):
        pref, sex, born, family, given = person(at)
        home = land.address(pref)
        fixed = rng.random() < max(0.04, 0.3 - (at.year - 2010) * 0.02 + (at.year - born.year - 40) * 0.006)
        phone = land.landline(home["code"]) if fixed else land.mobile(born.year)
        if rng.random() < (0.25 if at.year < 2018 else 0.75):
            phone = phone.replace("-", "")
        style = Weighted([("plain", 7), ("wide", 2.5), ("mixed", 1), ("kanji", 0.6), ("banchi", 0.5)]).draw(rng)
        building = None
        if home["building"]:
            building = home["building"] + rng.choice(["", " ", "　", " "]) + (home["unit"].translate(WIDE) if style == "wide" else home["unit"])
        silent = rng.random() < 0.35
        orders = 0 if silent else 1 + int(rng.expovariate(1 / (1.5 + (2026 - at.year) * 0.3)))
        rank = "gold" if orders > 8 else "silver" if orders > 3 else "regular"
        age_of_account = (dt.datetime.combine(TODAY, dt.time()) - at).total_seconds()
        touched = at if silent and rng.random() < 0.6 else at + dt.timedelta(seconds=int(age_of_account * rng.betavariate(0.8, 1.4)))
        status = "active" if orders and rng.random() < 0.9 else Weighted([("active", 5), ("dormant", 1 + (2026 - at.year) * 0.6), ("closed", 0.3)]).draw(rng)
        rows.append((key, family[0], given[0], family[1], given[1], mail(family, given, born, at), phone, home["postcode"], home["pref"], home["city"],
                     written(home, style), building, born.isoformat() if at.year < 2021 or rng.random() < 0.7 else None, sex if rng.random() < 0.93 else None,
                     int(rng.random() < (0.75 if at.year < 2018 else 0.42)), rank, status, orders, orders * 110 + (rng.randrange(50) * 10 if orders else 0),
                     Weighted([("search", 5), ("ad", 3 if at.year > 2015 else 1), ("sns", max(0, at.year - 2014)), ("friend", 1), (None, 2 if at.year < 2014 else 0.3)]).draw(rng),
                     at.strftime("%Y-%m-%d %H:%M:%S"), touched.strftime("%Y-%m-%d %H:%M:%S")))
    columns = ["id integer primary key autoincrement", "last_name text not null", "first_name text not null", "last_name_kana text not null", "first_name_kana text not null", "email text not null unique",
               "tel text not null", "zip text not null", "pref text not null", "city text not null", "address1 text not null", "address2 text", "birthday text", "gender text", "newsletter integer not null",
               "rank text not null", "status text not null", "order_count integer not null", "points integer not null", "channel text", "created_at text not null", "updated_at text not null"]

    def pool(want):
        out, homes = [], []
        for _ in range(want):
            at = rng.choice(times)
            pref, _, born, family, given = person(at)
            home = land.address(pref)
            homes.append(home)
            text = home["pref"] + home["city"] + home["town"] + "-".join(home["block"]) + (" " + home["building"] if home["building"] else "")
            first = int(home["unit"] or 0)
            out.append(("drop", "", home["postcode"], text, f"{first}-{first + 1}" if first else "none", ""))
            out.append(("mailbox", mail(family, given, born, at), "", "", "", ""))
        out += [("mail", f"{word}{number}.example", "", "", "", "2") for number, word in enumerate(WORDS[: max(8, want // 12)])]
        out += [("phone", land.mobile(rng.randint(1950, 2003)), "", "", "", "2") for _ in range(want)]
        out += [("phone", land.landline(home["code"]), "", "", "", "2") for home in homes]
        return out
    return "customers", columns, rows, pool
