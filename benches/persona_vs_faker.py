#!/usr/bin/env python3
"""Otori's Japanese households against Python Faker's, in one run on this machine.

    python3 -m venv venv && venv/bin/pip install faker && venv/bin/python benches/persona_vs_faker.py [cargo arguments]

Faker makes name with kana, address, postcode, phone, mail address and birth date, which do not agree with each other.
Cargo arguments: for instance `--profile dev` where the release build is not worth its time.
"""
import re
import subprocess
import sys
import time

from faker import Faker

UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9}

bench = subprocess.run(
    ["cargo", "bench", "--bench", "persona", *sys.argv[1:], "--", "otori_japan"],
    check=True, capture_output=True, text=True,
).stdout
print(bench)
# divan prints the rate below its row: fastest, slowest, median, mean.
block = re.search(r"─ otori_japan +.*\n([^\n]*)", bench).group(1)
rates = re.findall(r"([\d.]+) ([KMG]?)item/s", block)
otori = float(rates[2][0]) * UNITS[rates[2][1]]

fake = Faker("ja_JP")
Faker.seed(1)
count = 5000
start = time.perf_counter()
for _ in range(count):
    fake.last_name(), fake.last_kana_name(), fake.first_name(), fake.first_kana_name()
    fake.zipcode(), fake.address(), fake.phone_number(), fake.email(), fake.date_of_birth()
faker = count / (time.perf_counter() - start)
print(f"otori  {otori:12,.0f} households per second (median)")
print(f"faker  {faker:12,.0f} people per second")
print(f"ratio  {otori / faker:12,.0f}")
