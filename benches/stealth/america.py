"""An English table: the members of a club with houses in twelve states."""
import collections
import datetime as dt

from life import EVEN, ROUND_THE_CLOCK, Weighted, birth, keys, seeds, signups, taste

TODAY = dt.date(2026, 11, 1)
STATES = ["NY", "NJ", "PA", "MA", "CT", "OH", "IL", "CA", "WA", "TX", "FL", "GA"]
# What the seed tables have not: surnames of 400 bearers and fewer, streets of this country's own kind.
ODD = [a + b for a in ("Brack", "Thorn", "Win", "Mel", "Har", "Oster", "Kin", "Pell", "Strat", "Vand", "Cress", "Ald") for b in ("smere", "wicke", "terby", "hollen", "quist", "ermann", "igsby", "ovsky", "elaar", "ington")]
NAMED = ["Martin Luther King Jr", "Old Post", "County Line", "Saint Marks", "Rev. Dunn", "Two Mile", "Kossuth", "De Soto", "Van Buren", "Lafayette", "Mount Hope", "Orchard Hill", "Sawmill", "Quaker", "Ferry"]
NUMBERED = ["1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th", "10th", "12th", "14th", "21st", "33rd", "42nd"]
SUFFIX = [("St", 30), ("Ave", 22), ("Rd", 16), ("Dr", 14), ("Ln", 9), ("Ct", 6), ("Blvd", 3), ("Way", 4), ("Pl", 4), ("Ter", 2), ("Cir", 3)]
LONG = {"St": "Street", "Ave": "Avenue", "Rd": "Road", "Dr": "Drive", "Ln": "Lane", "Ct": "Court", "Blvd": "Boulevard", "Pl": "Place", "Ter": "Terrace", "Cir": "Circle"}
WORDS = "sunny golfer redsox beachmom hiker coffee bluejay mustang soccer gramma papa flyfish tiger lucky mountain jazz sailor quilts tex dogmom runner".split()
SHORT = {"William": "Bill", "Robert": "Bob", "Katherine": "Kate", "Elizabeth": "Liz", "Michael": "Mike", "James": "Jim", "Thomas": "Tom", "Jennifer": "Jen", "Patricia": "Pat", "Richard": "Rick"}
TAIL = [f"{a}{b}.example" for a in ("law", "umail-", "dental", "k12-", "bldrs", "mg") for b in ("hudson", "penn", "lake", "coast", "metro", "valley", "union", "summit")]


def club(rng, count):
    """members: the club."""
    births = collections.defaultdict(list)
    for row in seeds("en_US/given_names.csv.gz"):
        births[(int(row["year"]), row["sex"])].append((row["name"], float(row["births"])))
    given = {key: Weighted(rows) for key, rows in births.items()}
    surnames = [(row["surname"], float(row["count"])) for row in seeds("en_US/surnames.csv.gz")]
    by_state = {state: Weighted([(name, n * taste(state, name, spread=0.8)) for name, n in surnames]) for state in STATES}
    zips = collections.defaultdict(list)
    for row in seeds("en_US/zips.csv.gz"):
        if row["state"] in STATES and float(row["population"] or 0) > 500:
            zips[row["state"]].append((row, float(row["population"]) * taste("zip", row["zip"], spread=1.6)))
    area = collections.defaultdict(list)
    for row in seeds("en_US/area_codes.csv"):
        if row["state"] in STATES:
            area[row["state"]].append(row["area_code"])
    words = [(row["word"], float(row["weight"])) for row in seeds("en_US/street_words.csv") if row["part"] == "word"]
    places = {state: Weighted(sorted(rows, key=lambda pair: -pair[1])[:160]) for state, rows in zips.items()}
    where = Weighted([(state, 1 / (rank + 2)) for rank, state in enumerate(STATES)])
    streets = {}
    # Some lines of each area code are for who asks late: canaries.
    taken = {(code, line) for code in sum(area.values(), []) for line in rng.sample(range(100), 6)}
    kept = set(taken)

    def code_of(row):
        codes = area[row["state"]]
        return codes[int(row["zip"][:3]) % len(codes)]

    def phone(code, year):
        # 555-01xx is nobody's; a full area code passes a newcomer on to the next.
        codes = [code] + rng.sample(sum(area.values(), []), 40)
        for code in codes:
            for _ in range(60):
                number = (code, rng.randrange(100))
                if number not in taken:
                    taken.add(number)
                    return number
        raise SystemExit("no numbers left: fewer rows, please")

    def address(state):
        row = places[state].draw(rng)
        known = streets.setdefault(row["zip"], [])
        if not known or rng.random() < 3 / (len(known) + 3):
            kind = rng.random()
            name = rng.choice(NUMBERED) if kind < 0.12 else rng.choice(NAMED) if kind < 0.22 else rng.choice(ODD) if kind < 0.27 else Weighted(words).draw(rng)
            known.append((name, Weighted(SUFFIX).draw(rng), rng.choice([99, 400, 1500, 12000]), rng.random() < 0.2))
        name, suffix, top, flats = known[int(len(known) * rng.random() ** 1.4)]
        number = 1 + int(top * rng.random() ** 1.2)
        unit = None
        if flats and rng.random() < 0.7:
            number = 1 + number // 40 * 40
            unit = rng.choice(["Apt {}", "Apt {}", "Unit {}", "#{}"]).format(rng.choice([f"{rng.randint(1, 9)}{rng.choice('ABCDEF')}", str(rng.randint(1, 30)), str(rng.randint(101, 640))]))
        return row, number, name, suffix, unit

    def person(at):
        state = where.draw(rng)
        sex = "F" if rng.random() < 0.54 else "M"
        age = min(90, max(19, rng.gauss(46, 15)))
        born = birth(rng, age, at.date())
        year = min(max(1930, born.year // 5 * 5), 2020)
        name = given[(year, sex)].draw(rng)
        family = rng.choice(ODD) if rng.random() < 0.03 else by_state[state].draw(rng)
        if rng.random() < 0.012:
            family += "-" + by_state[state].draw(rng)
        return state, sex, born, name, family

    used = set()

    def mail(name, family, born, at):
        age = at.year - born.year
        domain = Weighted([("gmail.example", 6 + (at.year - 2010) * 0.8), ("yahoo.example", 4 + age * 0.03), ("aol.example", max(0, age - 40) * 0.12), ("hotmail.example", 2.2), ("icloud.example", 1.3 + max(0, 45 - age) * 0.08),
                           ("comcast.example", age * 0.03), ("verizon.example", 0.8), ("outlook.example", 0.9), ("msn.example", max(0, age - 45) * 0.03), ("tail", 1.2)]).draw(rng)
        domain = TAIL[int(len(TAIL) * rng.random() ** 2)] if domain == "tail" else domain
        first, last = "".join(c for c in name.lower() if c.isalpha()), "".join(c for c in family.lower() if c.isalpha())
        while True:
            base = Weighted([(f"{first}.{last}", 5), (f"{first}{last}", 4), (f"{first[0]}{last}", 5), (f"{last}{first[0]}", 1.5), (f"{first}_{last}", 1), (rng.choice(WORDS), 2.5), (f"{first}{last[0]}", 2),
                             (SHORT.get(name, name).lower() + last, 1)]).draw(rng)
            tail = rng.random()
            base += "" if tail < 0.42 else str(born.year % 100).zfill(2) if tail < 0.6 else str(born.year) if tail < 0.66 else str(rng.randrange(10 ** rng.randint(1, 3)))
            if (base, domain) not in used:
                used.add((base, domain))
                return f"{base}@{domain}"

    rows = []
    times = signups(rng, count, dt.date(2011, 1, 10), TODAY, ROUND_THE_CLOCK, EVEN, growth=1.1)
    for key, at in zip(keys(rng, count, 20417), times):
        desk = rng.random() < max(0.1, 0.6 - (at.year - 2011) * 0.05)
        state, sex, born, name, family = person(at)
        row, number, street, suffix, unit = address(state)
        code, line = phone(code_of(row), born.year)
        how = "{}-555-01{:02}" if desk or rng.random() < 0.5 else rng.choice(["({}) 555-01{:02}", "{}55501{:02}", "{}.555.01{:02}"])
        written = f"{number} {street} {LONG.get(suffix, suffix) if not desk and rng.random() < 0.3 else suffix}"
        city = row["city"]
        name_written = SHORT.get(name, name) if not desk and rng.random() < 0.3 else name
        if not desk and rng.random() < 0.035:
            name_written, family, city, written = (text.lower() for text in (name_written, family, city, written))
        elif desk and at.year < 2014 and rng.random() < 0.3:
            name_written, family, city, written = (text.upper() for text in (name_written, family, city, written))
        tier = Weighted([("basic", 6), ("plus", 2 + (at.year < 2018)), ("family", 1 + 2 * (30 < at.year - born.year < 55)), ("life", 0.3 * (born.year < 1965))]).draw(rng)
        years = 2026.8 - at.year
        status = "active" if tier == "life" else Weighted([("active", 6), ("lapsed", years * 0.8), ("cancelled", years * 0.15)]).draw(rng)
        points = 0 if rng.random() < 0.25 else int(rng.lognormvariate({"basic": 4.6, "plus": 5.6, "family": 5.9, "life": 6.4}[tier], 0.7) * (0.4 + years * 0.12)) // 5 * 5
        since = (dt.datetime.combine(TODAY, dt.time()) - at).days
        visit = None if rng.random() < 0.22 else (at + dt.timedelta(days=int(since * (rng.betavariate(2.5, 0.8) if status == "active" else rng.betavariate(1, 2))))).date()
        note = rng.choice(["vip", "locker 12", "call first", "spouse is member", "guest of Hal", "moved?", "prefers mail"]) if rng.random() < 0.05 else None
        rows.append((key, name_written, family, mail(name, family, born, at) if not desk or rng.random() < 0.55 else None, how.format(code, line), written, unit, city, row["state"], row["zip"],
                     born.strftime("%m/%d/%Y") if rng.random() < (0.95 if desk else 0.7) else None, {"M": "Male", "F": "Female"}[sex] if desk or rng.random() < 0.6 else None, tier, status, points,
                     "Y" if rng.random() < (0.4 if desk else 0.7) else "N", "desk" if desk else "online", note, visit and visit.isoformat(), at.strftime("%Y-%m-%d %H:%M:%S")))
    columns = ["member_id integer primary key autoincrement", "first_name text not null", "last_name text not null", "email text", "phone text not null", "street text not null", "apt text", "city text not null", "state text not null",
               "zip text not null", "date_of_birth text", "gender text", "tier text not null", "status text not null", "points integer not null", "newsletter text not null", "joined_by text not null", "notes text",
               "last_visit text", "created_at text not null"]

    def pool(want):
        out = []
        taken.difference_update(kept)
        for _ in range(want):
            at = rng.choice(times)
            state, _, born, name, family = person(at)
            row, number, street, suffix, unit = address(state)
            out.append(("drop", "", row["zip"], f"{number} {street} {suffix}, {row['city']}, {row['state']}", f"{unit}" if unit else "none", ""))
            out.append(("mailbox", mail(name, family, born, at), "", "", "", ""))
            near = code_of(row) if rng.random() < 0.8 else code_of(places[where.draw(rng)].draw(rng))
            out.append(("phone", "+1{}55501{:02}".format(*phone(near, 1980)), "", "", "", "2"))
        out += [("mail", f"{word}-mail.example", "", "", "", "2") for word in WORDS[: max(8, want // 12)]]
        return out
    return "members", columns, rows, pool
