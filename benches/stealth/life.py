"""What the three tables have in common: chance with a memory, keys and clocks, and the seed tables as vocabulary."""
import bisect
import csv
import datetime as dt
import gzip
import itertools
import pathlib
import random

SEEDS = pathlib.Path(__file__).resolve().parents[2] / "seeds"


def seeds(name):
    """Rows of a seed table as dicts; its first lines are comments."""
    path = SEEDS / name
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
    with opened as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


class Weighted:
    """Draws of a list by weight."""

    def __init__(self, pairs):
        pairs = [(item, float(weight)) for item, weight in pairs if float(weight) > 0]
        self.items = [item for item, _ in pairs]
        self.sums = list(itertools.accumulate(weight for _, weight in pairs))

    def draw(self, rng):
        return self.items[min(bisect.bisect(self.sums, rng.random() * self.sums[-1]), len(self.items) - 1)]


def taste(*key, spread=1.0):
    """A lasting taste for a thing (a surname for a region, a town for a shop): the same for the same key."""
    return random.Random("|".join(map(str, key))).lognormvariate(0, spread)


def signups(rng, count, first, last, hour, weekday, growth=1.6, campaigns=6):
    """Rising times of `count` sign-ups, at hours and weekdays as given, with a few campaigns."""
    days = (last - first).days
    peaks = [(rng.randrange(days), rng.uniform(2, 6), rng.randint(2, 12)) for _ in range(campaigns)]
    weights = []
    for day in range(days):
        date = first + dt.timedelta(days=day)
        weight = weekday[date.weekday()] * (0.3 + (day / days) ** growth) * (1.5 if date.month in (3, 4) else 1)
        weight *= 1 + sum(size for start, size, length in peaks if start <= day < start + length)
        weights.append((day, weight))
    drawn = Weighted(weights)
    times = []
    for _ in range(count):
        date = first + dt.timedelta(days=drawn.draw(rng))
        second = Weighted(list(enumerate(hour))).draw(rng) * 3600 + rng.randrange(3600)
        times.append(dt.datetime.combine(date, dt.time()) + dt.timedelta(seconds=second))
    return sorted(times)


def keys(rng, count, start):
    """A sequence with gaps: deleted customers, rolled-back inserts, a restart that lost a cache of twenty."""
    key = start
    for _ in range(count):
        yield key
        step = rng.random()
        key += 1 if step < 0.86 else 2 if step < 0.95 else rng.randint(3, 6) if step < 0.998 else rng.randint(20, 120)


def birth(rng, age, on):
    """A birth date of somebody of that age on that day."""
    return on - dt.timedelta(days=int(age * 365.25) + rng.randrange(365))


OPEN = [0] * 10 + [6, 8, 5, 7, 8, 9, 10, 9, 6] + [0] * 5
ROUND_THE_CLOCK = [3, 2, 1, 1, 1, 1, 2, 4, 5, 6, 7, 7, 9, 7, 6, 6, 6, 6, 7, 8, 10, 12, 11, 7]
EVEN = [1, 1, 1, 1, 1.1, 1.5, 1.4]
SHOP_WEEK = [0.8, 0.8, 0, 0.9, 1, 1.7, 1.6]
