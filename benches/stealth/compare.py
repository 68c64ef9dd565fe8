#!/usr/bin/env python3
"""The outside judge: can a detector that is none of ours pick out what `otori plant` planted?

    python3 -m venv target/judge && target/judge/bin/pip install numpy scikit-learn lightgbm
    cargo build --release && python3 benches/stealth/population.py target/pop
    target/judge/bin/python benches/stealth/compare.py target/pop [--otori target/release/otori] [--only shop] [--count 200]

Each table of DIR is copied, a workspace is made, canaries are planted by the program itself, and two thieves look at the table:
LightGBM, told of the canaries in four fifths of the rows (five folds; canaries that share a contact point in one fold), and an
isolation forest, told nothing. Once with all columns, once without the key and the times of the row ('order hidden').
The control calls as many random customers canaries: 0.5, or the judge is wrong. Another control calls those canaries who joined last:
new customers are told from old ones, so that no new canary can be told less. `--gives-away` prints what LightGBM used.
"""
import argparse
import collections
import itertools
import json
import math
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile
import unicodedata

import lightgbm
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

FOLDS = 5
# The share of the customers who joined last, for a judgement among newcomers.
LATE = 0.25
PAIRED = {"", "head", "first word", "last word", "shape", "domain", "block"}
# What `otori source add` asks about these tables.
ANSWERS = {"household": ["コース=other", "備考=other"], "club": ["joined_by=other", "last_visit=other"]}


def kind(sign):
    code = ord(sign)
    if sign.isascii():
        return "9" if sign.isdigit() else "a" if sign.islower() else "A" if sign.isupper() else sign
    if 0x3041 <= code <= 0x309F:
        return "h"
    if 0x30A1 <= code <= 0x30FF:
        return "k"
    if 0xFF66 <= code <= 0xFF9F:
        return "w"
    if 0xFF10 <= code <= 0xFF19:
        return "N"
    return "K" if code >= 0x3400 and unicodedata.category(sign) == "Lo" else sign


def shape(text):
    return re.sub(r"(.)\1+", r"\1+", "".join(map(kind, text)))


def parts(column, text):
    """What of a value might come again: whole, head, parts between separators, shape, mail domain, number block."""
    yield "", text
    yield "shape", shape(text)
    words = re.split(r"[\s　]+", text)
    if len(words) > 1:
        yield "first word", words[0]
        yield "last word", words[-1]
    if "@" in text:
        local, domain = text.rsplit("@", 1)
        yield "domain", domain
        yield "local", re.sub(r"\d+", "", local)
        yield "local shape", shape(local)
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", text))
    if len(digits) >= 9 and len(digits) >= len(text) / 2:
        yield "block", digits[:-4]
        yield "head", digits[:3]
        yield "tail", digits[-2:]
    elif len(text) > 4:
        yield "head", text[:3]
        yield "tail", text[-2:]
        yield "letters", re.sub(r"\d+", "0", unicodedata.normalize("NFKC", text))


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def moment(text):
    match = re.match(r"^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d))?$", text)
    if match:
        return tuple(int(part or 0) for part in match.groups())
    match = re.match(r"^(\d\d)/(\d\d)/(\d{4})$", text)
    return (int(match[3]), int(match[1]), int(match[2]), 0, 0, 0) if match else None


def days(at):
    return at[0] * 365.25 + at[1] * 30.44 + at[2] + at[3] / 24 + at[4] / 1440 + at[5] / 86400


ROMAJI = dict(zip(
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポャュョッー",
    "a i u e o ka ki ku ke ko sa shi su se so ta chi tsu te to na ni nu ne no ha hi fu he ho ma mi mu me mo ya yu yo ra ri ru re ro wa o n ga gi gu ge go za ji zu ze zo da ji zu de do ba bi bu be bo pa pi pu pe po ya yu yo * *".split()))


def latin(text):
    text = unicodedata.normalize("NFKC", text)
    text = "".join(ROMAJI.get(sign, sign) for sign in text).replace("*", "").lower()
    return re.sub(r"(sh|ch|j)iy", r"\1", re.sub(r"([kgnhbpmr])iy", r"\1y", text))


def common(one, other):
    """Length of the longest common substring."""
    best = 0
    for start in range(len(one)):
        while start + best < len(one) and one[start: start + best + 1] in other:
            best += 1
    return best


def features(columns, rows, hidden, order):
    """The matrix, names of its columns. `rows` are text or None; counts leave the row itself out."""
    out, names = [], []
    n = len(rows)
    keep = [at for at in range(len(columns)) if at not in hidden]

    def add(name, values):
        out.append(np.asarray(values, dtype=np.float32))
        names.append(name)

    def rarity(values):
        counts = collections.Counter(values)
        return np.log1p(np.array([counts[value] - 1 for value in values]))

    pieces, dates = {}, {}
    missing = ["".join("0" if row[at] is None else "e" if row[at] == "" else "1" for at in keep) for row in rows]
    add("missing pattern: count", rarity(missing))
    for at in keep:
        column, texts = columns[at], [row[at] for row in rows]
        add(f"{column}: missing", [text is None for text in texts])
        add(f"{column}: length", [-1 if text is None else len(text) for text in texts])
        own = collections.defaultdict(dict)
        for place, text in enumerate(texts):
            if text:
                for part, value in parts(column, text):
                    own[part][place] = value
        for part, values in own.items():
            if len(values) < n * 0.02:
                continue
            filled = [values.get(place) for place in range(n)]
            add(f"{column} {part}: count", rarity(filled))
            # What hardly comes again, or is nearly always the same, says nothing in a pair.
            distinct = collections.Counter(filled)
            if part in PAIRED and len(distinct) < len(values) * 0.6 and distinct.most_common(1)[0][1] < n * 0.98:
                pieces[f"{column} {part}"] = filled
        numbers = [None if text is None else number(text) for text in texts]
        if sum(value is not None for value in numbers) > n * 0.3:
            add(f"{column}: value", [math.nan if value is None else value for value in numbers])
            add(f"{column}: last digit", [math.nan if value is None else value % 10 for value in numbers])
        moments = [None if text is None else moment(text) for text in texts]
        if sum(value is not None for value in moments) > n * 0.3:
            dates[column] = np.array([math.nan if value is None else days(value) for value in moments])
            add(f"{column}: day", dates[column])
            for part, name in enumerate(["year", "month", "day of the month", "hour", "minute", "second"]):
                add(f"{column}: {name}", [math.nan if value is None else value[part] for value in moments])
            add(f"{column}: weekday", [math.nan if value is None else __import__("datetime").date(*value[:3]).weekday() for value in moments])
        # How surprising the letters are, by pairs of them seen in other rows.
        pairs, heads = collections.Counter(), collections.Counter()
        grams = []
        for text in texts:
            own_pairs = collections.Counter(zip("^" + (text or ""), (text or "") + "$"))
            grams.append(own_pairs)
            pairs.update(own_pairs)
            heads.update(pair[0] for pair in own_pairs.elements())
        surprise = []
        for text, own_pairs in zip(texts, grams):
            each = [-math.log((pairs[pair] - times + 0.1) / (heads[pair[0]] - times + 10)) for pair, times in own_pairs.items()]
            surprise.append(math.nan if not text else sum(each) / len(each))
        add(f"{column}: surprise", surprise)
        add(f"{column}: worst letter", [math.nan if not text else max(-math.log(pairs[pair] - times + 0.1) for pair, times in own.items()) for text, own in zip(texts, grams)])
        # Which letters and pairs of letters it has.
        seen = collections.Counter(gram for text in texts for gram in set((text or "")) | {(text or "")[i: i + 2] for i in range(len(text or "") - 1)})
        for gram, times in seen.most_common(30):
            if n * 0.01 < times < n * 0.99:
                add(f"{column} has '{gram}'", [gram in (text or "") for text in texts])
    for one, other in itertools.combinations(dates, 2):
        add(f"{one} to {other}: days", dates[other] - dates[one])
    # Pairs: how often seen together, and against chance.
    for one, other in itertools.combinations(pieces, 2):
        if one.split(" ")[0] == other.split(" ")[0]:
            continue
        together = list(zip(pieces[one], pieces[other]))
        both, left, right = collections.Counter(together), collections.Counter(pieces[one]), collections.Counter(pieces[other])
        count = np.array([both[pair] - 1 for pair in together])
        chance = np.array([(left[a] - 1) * (right[b] - 1) / n for a, b in together])
        add(f"{one} with {other}", np.log((count + 0.3) / (chance + 0.3)))
    mail = [at for at in keep if sum("@" in (row[at] or "") for row in rows) > n * 0.2]
    for at in mail:
        for name in keep:
            if name != at and re.search("name|フリガナ|kana|氏名", columns[name]):
                local = [re.sub(r"[^a-z]", "", (row[at] or "").split("@")[0].lower()) for row in rows]
                add(f"{columns[at]} in {columns[name]}", [common(part, latin(row[name] or "")) for part, row in zip(local, rows)])
    if order is not None:
        key, created = order
        place = np.argsort(key, kind="stable")
        gap = np.diff(key[place], prepend=key[place][0] - 1, append=key[place][-1] + 1)
        before, after = np.empty(n), np.empty(n)
        before[place], after[place] = gap[:-1], gap[1:]
        add("key: gap before", before)
        add("key: gap after", after)
        if created is not None:
            at = created[place]
            around = np.array([np.nanmedian(np.r_[at[max(0, i - 5): i], at[i + 1: i + 6]]) for i in range(n)])
            off, step = np.empty(n), np.empty(n)
            off[place] = at - around
            step[place] = np.diff(at, prepend=at[0])
            add("created: away from its neighbours by key", off)
            add("created: after the one before", step)
    telling = [at for at, values in enumerate(out) if len(np.unique(values[~np.isnan(values)])) > 1 or np.isnan(values).any()]
    return np.column_stack([out[at] for at in telling]), [names[at] for at in telling]


def folds(rng, fake, groups):
    """Folds of the rows: canaries of one group stay together, and the folds get about as many canaries each."""
    fold = rng.integers(0, FOLDS, len(fake))
    sizes = collections.Counter(groups[at] for at in np.flatnonzero(fake))
    load, given = [0] * FOLDS, {}
    for group, size in sorted(sizes.items(), key=lambda pair: (-pair[1], rng.random())):
        given[group] = load.index(min(load))
        load[given[group]] += size
    for at in np.flatnonzero(fake):
        fold[at] = given[groups[at]]
    return fold


def groups_of(columns, rows, fake):
    """Canaries joined by a contact point: an unusual mail domain, a number, a building."""
    group = list(range(len(rows)))

    def root(at):
        while group[at] != at:
            at = group[at]
        return at
    seen = {}
    real = collections.Counter()
    points = {}
    for place, row in enumerate(rows):
        own = []
        for at, text in enumerate(row):
            if not text:
                continue
            digits = re.sub(r"\D", "", text)
            if "@" in text:
                own.append((at, text.rsplit("@", 1)[1]))
            elif re.fullmatch(r"[\d().\- +]{9,16}", text) and len(digits) >= 9:
                own.append((at, digits[:-4]))
            elif re.search("住所|address1|street", columns[at]):
                own.append((at, re.sub(r"[^\w]", "", text)))
        points[place] = own
        if not fake[place]:
            real.update(own)
    share = {point: count / max(1, (~fake).sum()) for point, count in real.items()}
    bare = collections.Counter(point for place in np.flatnonzero(fake) for point in points[place])
    for place in np.flatnonzero(fake):
        for point in points[place]:
            if bare[point] > 1 and bare[point] / fake.sum() > 5 * share.get(point, 0):
                group[root(place)] = root(seen.setdefault(point, place))
    return [root(at) for at in range(len(rows))]


def report(scores, fake):
    cut = [np.quantile(scores[~fake], 1 - share) for share in (0.01, 0.05)]
    return roc_auc_score(fake, scores), [(scores[fake] > at).mean() for at in cut]


def with_labels(matrix, fake, groups, seed):
    rng = np.random.default_rng(seed)
    fold = folds(rng, fake, groups)
    scores, gain = np.empty(len(fake)), np.zeros(matrix.shape[1])
    for out in range(FOLDS):
        learn, test = fold != out, fold == out
        model = lightgbm.LGBMClassifier(n_estimators=150, learning_rate=0.06, num_leaves=15, min_child_samples=10, subsample=0.8, subsample_freq=1, colsample_bytree=0.2, max_bin=63,
                                        reg_lambda=5, random_state=seed, n_jobs=2, verbose=-1, importance_type="gain")
        model.fit(matrix[learn], fake[learn])
        raw = model.predict_proba(matrix[test])[:, 1]
        # Folds are put on one scale by their customers.
        real = np.sort(raw[~fake[test]])
        scores[test] = (np.searchsorted(real, raw) + np.searchsorted(real, raw, "right")) / 2 / len(real) + raw * 1e-9
        gain += model.feature_importances_
    return scores, gain / gain.sum()


def without_labels(matrix, names, seed):
    plain = [at for at, name in enumerate(names) if " has '" not in name]
    part = matrix[:, plain].copy()
    part = np.where(np.isnan(part), np.nanmedian(part, axis=0), part)
    model = IsolationForest(n_estimators=300, max_samples=512, random_state=seed, n_jobs=2).fit(part)
    return -model.score_samples(part)


def judge(label, columns, rows, fake, hidden, order, seed, gives_away):
    matrix, names = features(columns, rows, hidden, order)
    scores, gain = with_labels(matrix, fake, groups_of(columns, rows, fake), seed)
    known, unknown = report(scores, fake), report(without_labels(matrix, names, seed), fake)
    print(f"  {label:<30} with labels {known[0]:.3f} (1%: {known[1][0]:.3f}, 5%: {known[1][1]:.3f})   without {unknown[0]:.3f} (1%: {unknown[1][0]:.3f}, 5%: {unknown[1][1]:.3f})   {len(names)} features", flush=True)
    if gives_away:
        for at in np.argsort(-gain)[:gives_away]:
            ours, theirs = np.nanmedian(matrix[fake, at]), np.nanmedian(matrix[~fake, at])
            print(f"      {gain[at]:.3f}  {names[at]}  (median: canaries {ours:.3g}, customers {theirs:.3g}; alone {max(a := roc_auc_score(fake, np.nan_to_num(matrix[:, at], nan=-1e9)), 1 - a):.3f})")
    return known[0], unknown[0]


def read(path, table):
    db = sqlite3.connect(path)
    cursor = db.execute(f'select * from "{table}"')
    columns = [column[0] for column in cursor.description]
    return columns, [[None if cell is None else str(cell) for cell in row] for row in cursor]


def answers(name):
    """What `otori source add` is told of a table."""
    return [word for answer in ANSWERS.get(name, []) for word in ("--map", answer)]


def table_of(db):
    """The name of a database's only table."""
    return db.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite%'").fetchone()[0]


def words(doc):
    """What both judges are asked with."""
    asked = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("dir", type=pathlib.Path)
    asked.add_argument("--otori", default="target/release/otori")
    asked.add_argument("--only", action="append")
    asked.add_argument("--count", type=int, default=200)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--gives-away", type=int, default=0, metavar="N")
    return asked


def tables(asked):
    """The names of the tables that are looked at."""
    names = (path.stem for path in sorted(asked.dir.glob("*.db")))
    return [name for name in names if not asked.only or name in asked.only]


def planted(otori, directory, name, count, options):
    """Copies a table, plants into the copy by the program; columns, rows, which are canaries, key column."""
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        copy = work / f"{name}.db"
        shutil.copy(directory / f"{name}.db", copy)
        table = table_of(sqlite3.connect(copy))
        before = {row[0] for row in read(copy, table)[1]}

        def run(*command, fails=False):
            done = subprocess.run([otori, *command], cwd=work, text=True, capture_output=True, env={**os.environ, "OTORI_WORKSPACE": str(work / "watch")})
            if done.returncode and not fails:
                raise SystemExit(f"otori {' '.join(command)}:\n{done.stdout}{done.stderr}")
            return done.stdout
        run("init", "watch")
        run("pool", "import", str(directory / f"pool-{name}.csv"))
        run("source", "add", name, "--url", f"sqlite:{copy}", "--table", table, *options)
        run("plant", name, "--count", str(count), "--force")
        audit = None
        if "stealth" in run("--help"):
            text = run("stealth", name, "--json", fails=True)
            audit = json.loads(text) if text.strip() else None
        columns, rows = read(copy, table)
    return columns, rows, np.array([row[0] not in before for row in rows]), audit


def main():
    asked = words(__doc__)
    asked.add_argument("--no-control", action="store_true")
    asked = asked.parse_args()
    otori = str(pathlib.Path(asked.otori).resolve())
    for name in tables(asked):
        columns, rows, fake, audit = planted(otori, asked.dir.resolve(), name, asked.count, answers(name))
        print(f"{name}: {(~fake).sum()} customers, {fake.sum()} canaries")
        key = np.array([float(row[0]) for row in rows])
        stamps = [at for at, column in enumerate(columns) if re.search("created_at|登録日時", column)]
        made = [at for at, column in enumerate(columns) if re.search("created_at|updated_at|登録|入会日|last_visit", column)]
        created = np.array([days(moment(row[stamps[0]])) if row[stamps[0]] and moment(row[stamps[0]]) else math.nan for row in rows]) if stamps else None
        judge("all columns", columns, rows, fake, set(), (key, created), asked.seed, asked.gives_away)
        judge("order hidden", columns, rows, fake, {0, *made}, None, asked.seed, asked.gives_away)
        # Who joins now is younger, and has had less time for points: that gives away every newcomer, not the canaries among them.
        late = fake | (key >= np.quantile(key[~fake], 1 - LATE))
        judge("order hidden, of late", columns, [row for row, one in zip(rows, late) if one], fake[late], {0, *made}, None, asked.seed, asked.gives_away)
        if not asked.no_control:
            real = [row for row, ours in zip(rows, fake) if not ours]
            called = np.zeros(len(real), dtype=bool)
            called[np.random.default_rng(asked.seed).choice(len(real), fake.sum(), replace=False)] = True
            judge("control: customers", columns, real, called, set(), (key[~fake], created[~fake] if created is not None else None), asked.seed, 0)
            # Whoever joins now is told from all who ever joined, whoever it is: no canary can be told less than these.
            newest = key[~fake] >= np.sort(key[~fake])[-fake.sum()]
            judge("control: newest, order hidden", columns, real, newest, {0, *made}, None, asked.seed, 0)
        if audit:
            known, unknown = audit["with_labels"], audit["without_labels"]
            print(f"  otori stealth                  with labels {known['auc']:.3f} ({known['low']:.3f} to {known['high']:.3f})   without {unknown['auc']:.3f} ({unknown['low']:.3f} to {unknown['high']:.3f})")


if __name__ == "__main__":
    main()
