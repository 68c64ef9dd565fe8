#!/usr/bin/env python3
"""Three customer tables that owe nothing to otori's own generator, for measuring whether its canaries show.

    python3 benches/stealth/population.py DIR [--seed 7] [--household 8000] [--shop 12000] [--club 5000] [--pool 260]

writes DIR/household.db, shop.db and club.db (SQLite, one table each), the same as .csv, and pool-NAME.csv: contact points as a
careful operator would own them (`otori pool import`). The same arguments give the same bytes. Standard library only.

Nobody in them lives: numbers are never-issued ones, mail domains are under .example.
"""
import argparse
import csv
import pathlib
import random
import sqlite3

from america import club
from japan import household, shop

TABLES = {"household": household, "shop": shop, "club": club}


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("dir", type=pathlib.Path)
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--household", type=int, default=8000)
    asked.add_argument("--shop", type=int, default=12000)
    asked.add_argument("--club", type=int, default=5000)
    asked.add_argument("--pool", type=int, default=260, help="drops and mailboxes in each pool; numbers in proportion")
    asked = asked.parse_args()
    asked.dir.mkdir(parents=True, exist_ok=True)
    for name, make in TABLES.items():
        count = getattr(asked, name)
        if not count:
            continue
        rng = random.Random(f"{asked.seed} {name}")
        table, columns, rows, pool = make(rng, count)
        path = asked.dir / f"{name}.db"
        path.unlink(missing_ok=True)
        db = sqlite3.connect(path)
        db.execute(f"create table {table} ({', '.join(columns)})")
        db.executemany(f"insert into {table} values ({', '.join('?' * len(columns))})", rows)
        db.commit()
        db.close()
        with open(asked.dir / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow(column.split()[0] for column in columns)
            out.writerows(rows)
        with open(asked.dir / f"pool-{name}.csv", "w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow("kind value postcode address units cap".split())
            points = {}
            for point in pool(asked.pool):
                points.setdefault((point[0], point[1] or point[3]), point)
            out.writerows(points.values())
        print(f"{path}: table {table}, {len(rows)} rows, {len(columns)} columns; {len(points)} contact points")


if __name__ == "__main__":
    main()
