#!/usr/bin/env python3
"""The cases of geolonia/normalize-japanese-addresses' test/main.test.ts as CSV, for the bench beside this: what is
written, and the parts that the suite reads in it. Cases without a city are left out.

    python3 benches/addresses/cases.py package/test/main.test.ts > main.csv
"""
import csv
import re
import sys

text = open(sys.argv[1], encoding='utf-8').read()
out = csv.writer(sys.stdout)
out.writerow(['住所', '都道府県', '市区町村', '町丁目', 'その他'])
for block in re.split(r'\n\s*test\(', text)[1:]:
    said = re.search(r"normalize\(\s*'([^']*)'", block)
    if not said:
        continue
    parts = []
    for name in ('pref', 'city', 'town', 'addr'):
        found = re.search(r'"%s": "([^"]*)"' % name, block) or re.search(r"%s: '([^']*)'" % name, block)
        parts.append(found.group(1) if found else '')
    if parts[0] and parts[1]:
        out.writerow([said.group(1), *parts])
