#!/usr/bin/env python3
"""A flood of mails to one canary: each is stored and counted, one incident is opened, and a few alerts go out.

Plants five canaries into a table of 400 customers, starts the receiver, and lets Debian's smtp-source send the mails
to one of them over 20 connections that are kept open. A webhook counts the alerts and what they say. Everything is on
127.0.0.1, in a temporary directory, and ends by itself; whatever does not add up ends it with 1.

    cargo build --release
    benches/receive/flood.py --messages 100000

Prints seconds until the last mail had its 250, until all were settled, the sightings, incidents and alerts.
"""

import argparse
import csv
import http.server
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

from compare import DOMAIN, HERE, Server, free_port

FAMILIES = ["佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤", "吉田", "山田"]
GIVEN = ["花子", "陽子", "恵子", "直美", "智子", "誠", "健一", "隆", "浩", "修", "和彦", "剛"]


def customers(path):
    """A table of people who do not exist, whose mail addresses and numbers nobody has."""
    draw = random.Random(1)
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["氏名", "メールアドレス", "電話番号", "郵便番号", "住所"])
        for number in range(400):
            name = f"{draw.choice(FAMILIES)} {draw.choice(GIVEN)}"
            phone = f"090-0{draw.randrange(1000):03}-{draw.randrange(10000):04}"
            house = f"{draw.randrange(1, 9)}-{draw.randrange(1, 30)}-{draw.randrange(1, 30)}"
            rows.writerow([name, f"kaiin{number}@mail.example", phone, "100-0013", f"東京都千代田区霞が関{house}"])


class Told(http.server.BaseHTTPRequestHandler):
    """A webhook that keeps what it is told, and when."""

    alerts = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Told.alerts.append((time.monotonic(), json.loads(body)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--otori", default=str(HERE.parents[1] / "target" / "release" / "otori"))
    words.add_argument("--messages", type=int, default=100_000)
    given = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="otori-flood.") as work, open(os.devnull, "w") as log:
        flood(pathlib.Path(work), given, log)


def flood(work, given, log):
    watch = work / "watch"

    def otori(*command):
        return subprocess.run(
            [given.otori, "--workspace", str(watch), "--json", *command], check=True, capture_output=True, text=True
        ).stdout

    customers(work / "members.csv")
    subprocess.run([given.otori, "init", str(watch)], check=True, stdout=log)
    otori("pool", "add", "mail", DOMAIN)
    otori("pool", "add", "phone", *(f"090-0123-45{n:02}" for n in range(20)))
    otori("pool", "add", "drop", "--postcode", "100-0013", "--address", "東京都千代田区霞が関9-12-8 霞ハイツ", "--units", "101-420")
    otori("source", "add", "members", "--url", f"csv:{work / 'members.csv'}")
    canary = json.loads(otori("plant", "members", "--count", "5", "--force"))["canaries"][0]
    shown = otori("reveal", canary)
    address = next(text for text in shown.split('"') if text.endswith(f"@{DOMAIN}"))

    told = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Told)
    threading.Thread(target=told.serve_forever, daemon=True).start()
    config = watch / "otori.toml"
    webhook = f'\n[[alert.webhook]]\nname = "here"\nurl = "http://127.0.0.1:{told.server_port}/"\n'
    config.write_text(config.read_text() + webhook)
    port = free_port()
    serve = [given.otori, "--workspace", str(watch), "serve", "--smtp", f"127.0.0.1:{port}", "--http", "127.0.0.1:0"]
    server = Server(port, serve, log, MALLOC_ARENA_MAX="1")

    begun = time.monotonic()
    command = ["smtp-source", "-s", "20", "-d", "-m", str(given.messages), "-l", "4096"]
    command += ["-f", "list@broker.example", "-t", address, f"127.0.0.1:{port}"]
    subprocess.run(command, check=True)
    taken = time.monotonic() - begun
    counted = 0
    while counted < given.messages and time.monotonic() - begun < 1800:
        time.sleep(2)
        counted = sum(incident["sightings"] for incident in incidents(otori))
    settled = time.monotonic() - begun
    found = incidents(otori)
    cpu, memory = server.stop()
    told.shutdown()
    line = {
        "messages": given.messages,
        "seconds_until_taken": round(taken),
        "seconds_until_settled": round(settled),
        "sightings": counted,
        "incidents": len(found),
        "alerts": len(Told.alerts),
        "seconds_to_the_first_alert": round(Told.alerts[0][0] - begun) if Told.alerts else None,
        "cpu_ms_a_message": round(cpu * 1000 / given.messages, 2),
        "mib": round(memory),
    }
    print(json.dumps(line))
    few = 1 <= len(Told.alerts) <= 1 + settled / 60
    if counted != given.messages or len(found) != 1 or not few:
        sys.exit("a mail was not counted, or more than one incident or too many alerts came of it")


def incidents(otori):
    return json.loads(otori("incidents"))["incidents"]


if __name__ == "__main__":
    main()
