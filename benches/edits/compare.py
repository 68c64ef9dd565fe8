"""Splink and recordlinkage on the list of all edits mixed, beside otori.

    cargo bench --bench edits -- --files DIR --rows 20000 --canaries 500
    python3 -m venv /tmp/linkage && /tmp/linkage/bin/pip install splink==5.0.0 recordlinkage==0.16
    /tmp/linkage/bin/python benches/edits/compare.py DIR

Both get what their users would give them: the columns of the list in their right places (otori finds
them out), NFKC, and comparisons by edit distance. Printed are canaries found (recall), rows that were
linked to a wrong canary or to one where none is (false links), and seconds.
"""

import sys
import time
import unicodedata

import pandas as pd

directory = sys.argv[1]
COLUMNS = ["id", "name", "kana", "postcode", "address", "phone", "email", "birth"]


def read(name):
    table = pd.read_csv(f"{directory}/{name}", names=COLUMNS, header=0, dtype=str, keep_default_na=False)
    for column in COLUMNS[1:]:
        table[column] = [unicodedata.normalize("NFKC", text).lower().replace(" ", "") for text in table[column]]
    table["phone"] = [("".join(c for c in text if c.isdigit()))[-9:] for text in table["phone"]]
    table["birth"] = ["".join(c for c in text if c.isdigit()) for text in table["birth"]]
    table = table.map(lambda text: text or None)
    table["unique_id"] = range(len(table))
    return table


canaries, rows = read("canaries.csv"), read("list.csv")
with open(f"{directory}/truth.txt") as lines:
    truth = [int(line) if line.strip() else None for line in lines]
BLOCKS = ["phone", "email", "birth", "name", "kana", "postcode"]


def judge(tool, links, seconds):
    """links: pairs of canary and row."""
    found = {canary for canary, row in links if truth[row] == canary}
    false = sum(1 for canary, row in links if truth[row] != canary)
    print(f"{tool}: {len(found)} of {len(canaries)} canaries ({len(found) / len(canaries):.2%}), {false} false links, {seconds:.1f} s")


def recordlinkage_links():
    import recordlinkage

    index = recordlinkage.Index()
    for column in BLOCKS:
        index.block(column)
    pairs = index.index(canaries, rows)
    compare = recordlinkage.Compare()
    for column in ["name", "kana", "address", "email"]:
        compare.string(column, column, method="jarowinkler", threshold=0.88, label=column)
    for column in ["phone", "birth"]:
        compare.exact(column, column, label=column)
    features = compare.compute(pairs, canaries, rows)
    return [pair for pair, score in zip(features.index, features.sum(axis=1)) if score >= 3]


def splink_links():
    import splink.comparison_library as cl
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    settings = SettingsCreator(
        link_type="link_only",
        blocking_rules_to_generate_predictions=[block_on(column) for column in BLOCKS],
        comparisons=[
            cl.JaroWinklerAtThresholds("name", [0.9, 0.7]),
            cl.JaroWinklerAtThresholds("kana", [0.9, 0.7]),
            cl.JaroWinklerAtThresholds("address", [0.9, 0.7]),
            cl.JaroWinklerAtThresholds("email", [0.95]),
            cl.ExactMatch("phone"),
            cl.ExactMatch("birth"),
        ],
        retain_intermediate_calculation_columns=False,
    )
    database = DuckDBAPI()
    tables = [
        database.register(canaries, dataset_display_name="canaries"),
        database.register(rows, dataset_display_name="list"),
    ]
    linker = Linker(tables, settings, log_level=None)
    linker.training.estimate_probability_two_random_records_match([block_on("email"), block_on("name", "birth")], recall=0.5)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("birth"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("name"))
    frame = linker.inference.predict(threshold_match_probability=0.9).as_pandas_dataframe()
    # The left side is the table whose alias comes first in the alphabet.
    return list(zip(frame["unique_id_l"], frame["unique_id_r"]))


for tool, links in [("recordlinkage", recordlinkage_links), ("Splink", splink_links)]:
    started = time.time()
    judge(tool, links(), time.time() - started)
