#!/usr/bin/env python3
"""The outside judge on canaries that came one by one: can a detector pick them out, keys and times and all?

    target/judge/bin/python benches/stealth/drip.py target/pop [--otori target/release/otori] [--only shop] [--count 200]

Of each table of DIR (population.py) the customers who joined last are held back, and `otori drip` is set on the rest. Then time goes on
(Debian's faketime): customers join when they did, under the next keys, rows that change are changed when they were (`updated_at`), customers
visit until their last visit (`last_visit`; what else they hold is as it is today), and `otori drip --run` is called when a canary is due, with `otori tend` behind it. At the end the two thieves of
compare.py look at the table, with every column of it.

'Of late' is the same among those who joined since the drip began. The control calls as many of those customers canaries: newcomers show as
such (their accounts are young), whoever they are.
"""
import datetime as dt
import heapq
import json
import math
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import tempfile

import numpy as np

from compare import answers, days, judge, moment, read, table_of, tables, words

# The clock of each table, from UTC.
CLOCKS = {"household": 9, "shop": 9, "club": -5}


def came(otori, directory, name, count, share):
    """Lets canaries arrive in a copy of a table; columns, rows, which are canaries, which came since."""
    zone = dt.timedelta(hours=CLOCKS[name])
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        copy = work / f"{name}.db"
        shutil.copy(directory / f"{name}.db", copy)
        db = sqlite3.connect(copy, isolation_level=None)
        table = table_of(db)
        cursor = db.execute(f'select * from "{table}" order by 1')
        columns = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
        made = next(at for at, column in enumerate(columns) if re.search("created_at|登録日時", column))
        waiting = rows[-int(len(rows) * share):]
        gaps = [row[0] - before[0] for before, row in zip(rows[-len(waiting) - 1:], waiting)]
        joined = [dt.datetime.fromisoformat(row[made]) - zone for row in waiting]
        real = {row[0] for row in rows[: -len(waiting)]}
        touched = columns.index("updated_at") if "updated_at" in columns else None
        visited = columns.index("last_visit") if "last_visit" in columns else None
        # A heap of changes that are still to come; until then a row is as it was made.
        changes = []

        def as_made(row, key):
            shown, events = list(row), []
            if touched is not None:
                shown[touched] = row[made]
                events.append((dt.datetime.fromisoformat(row[touched]), touched, row[touched]))
            if visited is not None:
                shown[visited] = None
                events += [(at, visited, f"{at:%Y-%m-%d}") for at in visits(row)]
            for at, column, value in events:
                if at - zone <= now:
                    shown[column] = value
                else:
                    heapq.heappush(changes, (at, key, column, value))
            return shown

        def visits(row):
            """When a customer came, as far back as joining: ever more seldom, which is how the table's last visits lie."""
            if row[visited] is None:
                return []
            joined = dt.datetime.fromisoformat(row[made]).replace(hour=12, minute=0, second=0)
            apart = (dt.datetime.fromisoformat(row[visited]).date() - joined.date()).days
            chance, apart_days = random.Random(row[0]), []
            while apart >= 1:
                apart_days.append(int(apart))
                apart *= chance.random() ** (1 / (2.5 if "active" in row else 1))
            return [joined + dt.timedelta(days=day) for day in [0, *sorted(set(apart_days))]]
        db.execute(f'delete from "{table}" where "{columns[0]}" >= ?', (waiting[0][0],))
        db.execute("update sqlite_sequence set seq = ? where name = ?", (max(real), table))

        def run(at, *command):
            done = subprocess.run(["faketime", f"{at:%Y-%m-%d %H:%M:%S}", otori, *command], cwd=work, text=True, capture_output=True,
                                  env={**os.environ, "TZ": "UTC", "OTORI_WORKSPACE": str(work / "watch")})
            if done.returncode:
                raise SystemExit(f"otori {' '.join(command)} at {at}:\n{done.stdout}{done.stderr}")
            return done.stdout
        now, end = joined[0], joined[-1]
        for row in rows[: -len(waiting)]:
            for column, (shown, value) in enumerate(zip(as_made(row, row[0]), row)):
                if shown != value:
                    db.execute(f'update "{table}" set "{columns[column]}" = ? where "{columns[0]}" = ?', (shown, row[0]))
        rate = count / ((end - now).total_seconds() / 7 / 86400)
        run(now, "init", "watch")
        run(now, "pool", "import", str(directory / f"pool-{name}.csv"))
        run(now, "source", "add", name, "--url", f"sqlite:{copy}", "--table", table, *answers(name))
        run(now, "drip", name, "--per-week", f"{rate:.2f}")
        print(f"{name}: {len(waiting)} customers and {rate:.2f} canaries a week join from {now} to {end}", flush=True)
        at, chance = 0, random.Random(1)
        while True:
            shown = json.loads(run(now, "drip", name, "--json"))["drips"][0]
            due = dt.datetime.fromisoformat(shown["next_at"].replace("Z", "+00:00")).astimezone(dt.UTC).replace(tzinfo=None)
            now = max(now, due.replace(microsecond=0) + dt.timedelta(seconds=1))
            last = now > end
            db.execute("begin")
            while at < len(waiting) and (last or joined[at] <= now):
                key = db.execute("select seq from sqlite_sequence where name = ?", (table,)).fetchone()[0] + gaps[at]
                row = as_made(waiting[at], key)
                db.execute(f'insert into "{table}" values ({", ".join("?" * len(columns))})', (key, *row[1:]))
                real.add(key)
                at += 1
            while changes and (last or changes[0][0] - zone <= now):
                _, key, column, value = heapq.heappop(changes)
                db.execute(f'update "{table}" set "{columns[column]}" = ? where "{columns[0]}" = ?', (value, key))
            db.execute("commit")
            if last:
                break
            # Whoever comes now has as many given up before him as a customer has.
            db.execute("update sqlite_sequence set seq = seq + ? where name = ?", (chance.choice(gaps) - 1, table))
            run(now, "drip", name, "--run", "--minutes", "0")
            if touched is not None or visited is not None:
                run(now, "tend", name)
        columns, rows = read(copy, table)
    keys = [int(row[0]) for row in rows]
    return columns, rows, np.array([key not in real for key in keys]), np.array([key >= waiting[0][0] for key in keys])


def main():
    asked = words(__doc__)
    asked.add_argument("--share", type=float, default=0.25, help="of the customers, who join while the drip runs")
    asked = asked.parse_args()
    otori = str(pathlib.Path(asked.otori).resolve())
    for name in tables(asked):
        columns, rows, fake, late = came(otori, asked.dir.resolve(), name, asked.count, asked.share)
        print(f"{name}: {(~fake).sum()} customers, {(late & ~fake).sum()} of them of late, {fake.sum()} canaries")
        key = np.array([float(row[0]) for row in rows])
        at = next(at for at, column in enumerate(columns) if re.search("created_at|登録日時", column))
        created = np.array([days(moment(row[at])) if row[at] and moment(row[at]) else math.nan for row in rows])

        def look(label, part, called):
            chosen = [row for row, one in zip(rows, part) if one]
            judge(label, columns, chosen, called[part], set(), (key[part], created[part]), asked.seed, asked.gives_away)
        look("all customers", np.ones(len(rows), dtype=bool), fake)
        look("of late", late, fake)
        rng = np.random.default_rng(asked.seed)
        called = np.zeros(len(rows), dtype=bool)
        called[rng.choice(np.flatnonzero(late & ~fake), fake.sum(), replace=False)] = True
        look("control: customers", ~fake, called)
        look("control: customers, of late", late & ~fake, called)


if __name__ == "__main__":
    main()
