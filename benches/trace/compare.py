#!/usr/bin/env python3
"""Otori's trace against general tools, whole processes, one run on one machine, page cache warm.

    cargo build --release
    cargo bench --bench trace -- make DIR
    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install polars duckdb pandas pyarrow
    /tmp/venv/bin/python benches/trace/compare.py DIR [target/release/otori]

Each program gets two threads. The others fold what they can with their own string functions (spaces, hyphens, case,
full-width digits), which finds fewer of the 500 canaries than are in the list; how many is printed. Otori's first trace makes
its index of the canaries, the others read it. ripgrep is asked for
the mail addresses only. CPU seconds are user and system time of the process; wall time moves with its neighbours.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

COLUMNS = "post,name,kana,child,address,phone,mail,birth".split(",")

POLARS = """
import polars as pl, sys
def read(path):
    f = pl.read_csv(path, new_columns=%(columns)r, infer_schema=False)
    return f.select(
        phone=pl.col('phone').str.replace_all('[^0-9]', ''),
        mail=pl.col('mail').str.to_lowercase(),
        name=pl.col('name').str.replace_all('[\\\\s\\u3000]', ''),
        kana=pl.col('kana').str.replace_all('[\\\\s\\u3000]', ''),
        birth=pl.col('birth').str.replace_all('[^0-9]', ''),
        address=pl.col('address').str.replace_all('[\\\\s\\u3000-]', ''),
    )
rows, ours = read(sys.argv[1]).with_row_index(), read(sys.argv[2]).with_row_index('canary')
found = set()
for on in (['mail'], ['name', 'birth', 'phone'], ['kana', 'birth', 'phone'], ['name', 'address'], ['phone', 'name'], ['address']):
    part = ours.select(on + ['canary']).drop_nulls()
    found |= set(rows.join(part, on=on).get_column('canary'))
print(len(found))
""" % {"columns": COLUMNS}

DUCKDB = """
import duckdb, sys
duckdb.sql("set threads=2")
fold = '''select regexp_replace(phone, '[^0-9]', '', 'g') phone, lower(mail) mail,
  replace(replace(name, ' ', ''), '\\u3000', '') name, replace(replace(kana, ' ', ''), '\\u3000', '') kana,
  regexp_replace(birth, '[^0-9]', '', 'g') birth, replace(replace(replace(address, ' ', ''), '\\u3000', ''), '-', '') address %%s
  from read_csv('%%s', header=true, all_varchar=true, names=%(columns)r)'''
duckdb.sql("create table list as " + fold %% ('', sys.argv[1]))
duckdb.sql("create table ours as " + fold %% (', row_number() over () canary', sys.argv[2]))
on = ["l.mail = o.mail", "l.name = o.name and l.birth = o.birth and l.phone = o.phone", "l.kana = o.kana and l.birth = o.birth and l.phone = o.phone",
      "l.name = o.name and l.address = o.address", "l.address = o.address"]
sql = " union ".join(f"select o.canary from list l join ours o on {how}" for how in on)
print(duckdb.sql(f"select count(*) from ({sql})").fetchall()[0][0])
""" % {"columns": COLUMNS}

PANDAS = """
import pandas as pd, sys
def read(path):
    f = pd.read_csv(path, dtype=str, names=%(columns)r, header=0, usecols=['phone', 'mail'], keep_default_na=False)
    f['phone'] = f.phone.str.replace('[^0-9]', '', regex=True)
    f['mail'] = f.mail.str.lower()
    return f
rows, ours = read(sys.argv[1]), read(sys.argv[2])
print(int(ours.mail[ours.mail.isin(set(rows.mail) - {''})].nunique()), int(rows.phone.isin(set(ours.phone)).sum()))
""" % {"columns": COLUMNS}


def run(name, command, shell=False):
    start = time.monotonic()
    pid = subprocess.Popen(command, shell=shell, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           env={**os.environ, "POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "2"})
    out, err = pid.stdout.read(), pid.stderr.read()
    _, status, usage = os.wait4(pid.pid, 0)
    wall = time.monotonic() - start
    cpu = usage.ru_utime + usage.ru_stime
    told = out.strip().splitlines()[-1] if out.strip() and not out.lstrip().startswith("{") else ""
    if out.lstrip().startswith("{"):
        report = json.loads(out)
        found = sum(source["found"] for source in report["sources"])
        told = f"{report['verdict']}, {found} canaries, {report['file']['rows']} rows"
    if status:
        told = f"exit {status}: {err.strip()[-200:]}"
    print(f"{name:28} {wall:7.2f} s wall {cpu:7.2f} s cpu {usage.ru_maxrss / 1024:8.0f} MiB   {told}", flush=True)
    return cpu


def main():
    dir = pathlib.Path(sys.argv[1])
    otori = sys.argv[2] if len(sys.argv) > 2 else "target/release/otori"
    lists = {"utf-8": dir / "list.csv", "cp932": dir / "list.cp932.csv"}
    ours = str(dir / "canaries.csv")
    spaces = sorted(dir.glob("workspace-*"), key=lambda path: int(path.name.split("-")[1]))
    for path in lists.values():
        subprocess.run(["wc", "-c", str(path)], check=True)
    base = None
    run("wc -l", ["wc", "-l", str(lists["utf-8"])])
    for space in spaces:
        def trace(label, path):
            return run(f"otori {space.name[10:]} {label}", [otori, "--workspace", str(space), "trace", "--json", str(path)])
        (space / "watch.index").unlink(missing_ok=True)
        trace("utf-8, index made", lists["utf-8"])
        for encoding, path in lists.items():
            cpu = trace(encoding, path)
            base = base or cpu
    if shutil.which("rg"):
        mails = dir / "mails.txt"
        place = COLUMNS.index("mail")
        with open(ours) as file:
            next(file)
            mails.write_text("".join(line.split(",")[place] + "\n" for line in file))
        run("ripgrep, mail only", ["rg", "-j2", "-F", "-c", "-f", str(mails), str(lists["utf-8"])])
    for name, code in (("polars", POLARS), ("duckdb", DUCKDB), ("pandas, phone and mail", PANDAS)):
        cpu = run(name, [sys.executable, "-c", code, str(lists["utf-8"]), ours])
        print(f"{'':28} {cpu / base:7.1f} times otori's cpu")


main()
