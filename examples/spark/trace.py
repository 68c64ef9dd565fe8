"""Traces a list on an Apache Spark cluster and prints the report of the whole as JSON.

    spark-submit examples/spark/trace.py LIST --watchlist FILE [--otori PROGRAM] [--partitions N]

Each partition of the list is piped through `otori trace --partial`, which looks for the canaries of a
watch list (`otori watchlist export`): workers need the program and that file, no workspace. What they
print are counts, which `otori trace merge` adds up on the driver; the verdict, the canaries and their
row numbers are those of one machine. LIST is lines of UTF-8, one record per line, where the cluster can
read it; PROGRAM and FILE are at the same path on every worker.
"""

import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

from pyspark import SparkContext

# Columns are understood by their content: so many lines tell what they mean.
HEAD = 3000


def run(command, **options):
    """What a command prints; its own message is enough where it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", **options)
    if done.returncode != 0:
        sys.exit(done.returncode)
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("list")
    parser.add_argument("--watchlist", required=True)
    parser.add_argument("--otori", default="otori")
    parser.add_argument("--partitions", type=int, default=None)
    args = parser.parse_args()

    spark = SparkContext.getOrCreate()
    lines = spark.textFile(args.list, minPartitions=args.partitions)
    # A stretch from the middle has no header, and may be too short to be understood by itself.
    head = "".join(line + "\n" for line in lines.take(HEAD))
    layout = run([args.otori, "trace", "layout", "-"], input=head)
    partial = [args.otori, "trace", "--partial", "--watchlist", args.watchlist]
    # The layout goes along in the environment: no file of it is needed on the workers.
    command = f'{shlex.join(partial)} --layout <(printf %s "$OTORI_LAYOUT") -'
    environment = {"PATH": os.environ["PATH"], "OTORI_LAYOUT": layout}
    examined = lines.pipe(shlex.join(["bash", "-c", command]), environment, checkCode=True)
    with tempfile.TemporaryDirectory() as folder:
        parts = []
        # Each partition prints one line, an empty one too, and they come in their order.
        for number, result in enumerate(examined.collect()):
            path = pathlib.Path(folder) / f"part-{number:05}.json"
            path.write_text(result, encoding="utf-8")
            parts.append(str(path))
        merge = [args.otori, "trace", "merge", "--watchlist", args.watchlist, "--json"]
        if pathlib.Path(args.list).is_file():
            # The report then tells the list's own name, length and SHA-256.
            merge += ["--whole", args.list]
        print(run(merge + parts), end="")


if __name__ == "__main__":
    main()
