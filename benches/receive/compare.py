#!/usr/bin/env python3
"""Messages a second that the receiver takes with a 250, beside Postfix in the same run.

Debian's smtp-source sends mails of 4 KB, over a new connection each (10 at a time) and over
connections that are kept open (50 at a time). Postfix queues each to disk, as it always does, and hands it
to its `discard` transport; otori stores each in its registry (SQLite here) and settles it. Both sync before
the 250. Everything is on 127.0.0.1, in a temporary directory, and ends by itself.

    cargo build --release
    sudo benches/receive/compare.py            (root: Postfix drops its own rights)

Prints messages a second, CPU milliseconds a message and the memory of both, and the ratio; and how long a new
client waits for its 250 beside 200 clients that say nothing and 100 that stop inside a message.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
WAYS = {"10 new connections": ["-s", "10"], "50 kept open": ["-s", "50", "-d"]}
DOMAIN = "decoys.example"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, child):
    for _ in range(300):
        if child.poll() is not None:
            sys.exit("the server has ended before it listened")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit("the server does not listen")


class Server:
    """A server as a child process, and what it has used when it has ended."""

    def __init__(self, port, command, log, **more):
        self.port = port
        env = {**os.environ, **more}
        self.child = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=env)
        wait_for(port, self.child)

    def processes(self):
        """The server's processes, and what /proc/PID/stat says of each: it and all that descend from it."""
        all_of_them = {}
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                all_of_them[int(stat.parent.name)] = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
        found, left = {}, [self.child.pid]
        while left:
            process = left.pop()
            found[process] = all_of_them[process]
            left += [pid for pid, fields in all_of_them.items() if int(fields[1]) == process]
        return found

    def cpu(self):
        """CPU seconds of all of them, and of those that have ended."""
        ticks = sum(sum(map(int, fields[11:15])) for fields in self.processes().values())
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self):
        """CPU seconds once it has nothing left to do, and its memory then in MiB."""
        before, cpu = -1.0, self.cpu()
        while cpu - before > 0.02:
            time.sleep(1)
            before, cpu = cpu, self.cpu()
        processes = list(self.processes())
        memory = 0
        for process in processes:
            rollup = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
            memory += int(rollup.split("Pss:")[1].split()[0])
        self.child.terminate()
        self.child.wait()
        for process in processes[1:]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return cpu, memory / 1024


def postfix(home, log):
    port = free_port()
    conf, queue, data = home / "conf", home / "queue", home / "data"
    for place in (conf, queue, data):
        place.mkdir(parents=True)
    shutil.chown(data, "postfix")
    home.chmod(0o755)
    (conf / "main.cf").write_text(f"""compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
mail_owner = postfix
setgid_group = postdrop
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
myhostname = mx.{DOMAIN}
inet_interfaces = 127.0.0.1
mydestination =
relay_domains = {DOMAIN}
relay_transport = discard:
default_transport = error:nowhere
maillog_file = {home}/mail.log
maillog_file_prefixes = {home}
default_process_limit = 200
smtpd_client_connection_count_limit = 0
in_flow_delay = 0
""")
    services = f"""127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
    (conf / "master.cf").write_text(services)
    return Server(port, ["postfix", "-c", str(conf), "start-fg"], log)


def otori(program, home, log):
    home.mkdir()
    run = lambda *words: subprocess.run(
        [program, "--workspace", str(home / "watch"), *words], check=True, stdout=log, stderr=log
    )
    subprocess.run([program, "init", str(home / "watch")], check=True, stdout=log, stderr=log)
    run("pool", "add", "mail", DOMAIN)
    config = home / "watch" / "otori.toml"
    text = config.read_text().replace("[receive]", f'[receive]\ncatch_all = ["{DOMAIN}"]', 1)
    config.write_text(text)
    port = free_port()
    serve = [program, "--workspace", str(home / "watch"), "serve"]
    serve += ["--smtp", f"127.0.0.1:{port}", "--http", "127.0.0.1:0"]
    # As examples/deploy/otori.service has it.
    return Server(port, serve, log, MALLOC_ARENA_MAX="1")


def send(port, way, messages):
    command = ["smtp-source", *way, "-m", str(messages), "-l", "4096"]
    command += ["-f", "list@broker.example", "-t", f"someone@{DOMAIN}", f"127.0.0.1:{port}"]
    begun = time.monotonic()
    subprocess.run(command, check=True)
    return time.monotonic() - begun


def talk(port, *lines):
    """A connection on which these lines were said, each when the one before was answered."""
    stream = socket.create_connection(("127.0.0.1", port), timeout=60)
    answers = stream.makefile("rb")
    answers.readline()
    for line in lines:
        stream.sendall(line.encode() + b"\r\n")
        answers.readline()
    return stream, answers


def crowded(port):
    """Seconds until a new client has its 250, beside 200 that say nothing and 100 that stop inside DATA;
    `None` if it has none within a minute."""
    envelope = ["HELO client.example", "MAIL FROM:<list@broker.example>", f"RCPT TO:<someone@{DOMAIN}>"]
    try:
        silent = [talk(port) for _ in range(200)]
        stuck = [talk(port, *envelope, "DATA") for _ in range(100)]
        begun = time.monotonic()
        stream, answers = talk(port, *envelope, "DATA")
        stream.sendall(b"Subject: one more\r\n\r\nbuy\r\n.\r\n")
        served = answers.readline().startswith(b"250")
        seconds = time.monotonic() - begun
        for stream, _ in silent + stuck:
            stream.close()
        return round(seconds, 3) if served else None
    except OSError:
        return None


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--otori", default=str(HERE.parents[1] / "target" / "release" / "otori"))
    words.add_argument("--messages", type=int, default=10_000)
    words.add_argument("--rounds", type=int, default=1)
    given = words.parse_args()
    if os.geteuid() != 0:
        sys.exit("Postfix starts only as root: run this with sudo")
    for program in ("postfix", "smtp-source", given.otori):
        if shutil.which(program) is None:
            sys.exit(f"{program} is missing: tests/run installs Postfix, cargo build --release makes otori")
    found = []
    with tempfile.TemporaryDirectory(prefix="otori-load.") as work, open(os.devnull, "w") as log:
        work = pathlib.Path(work)
        work.chmod(0o755)
        for turn in range(given.rounds):
            for name, way in WAYS.items():
                line = {"way": name}
                for who in ("postfix", "otori"):
                    home = work / f"{who}-{turn}-{name.split()[0]}"
                    server = postfix(home, log) if who == "postfix" else otori(given.otori, home, log)
                    # The first messages start what starts on demand.
                    send(server.port, way, 200)
                    seconds = send(server.port, way, given.messages)
                    cpu, memory = server.stop()
                    sent = given.messages + 200
                    line[who] = {
                        "messages_a_second": round(given.messages / seconds),
                        "cpu_ms_a_message": round(cpu * 1000 / sent, 2),
                        "mib": round(memory),
                    }
                    shutil.rmtree(home, ignore_errors=True)
                ratio = line["otori"]["messages_a_second"] / line["postfix"]["messages_a_second"]
                line["ratio"] = round(ratio, 2)
                print(json.dumps(line), flush=True)
                found.append(ratio)
        line = {"way": "one client beside 200 silent ones and 100 stuck in DATA, seconds to its 250"}
        for who in ("postfix", "otori"):
            home = work / f"{who}-crowded"
            server = postfix(home, log) if who == "postfix" else otori(given.otori, home, log)
            line[who] = crowded(server.port)
            server.stop()
        print(json.dumps(line), flush=True)
    print(f"otori takes {min(found):.2f} to {max(found):.2f} times as many messages as Postfix")


if __name__ == "__main__":
    main()
