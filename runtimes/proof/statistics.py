"""Intervals and tests on sufficient statistics: whatever a metric computes from sums can be resampled.

A paired bootstrap draws whole groups (a module, a document) with replacement; a draw is one row of multinomial counts, so
that all draws are one matrix product with the groups' sums. Intervals are BCa (Efron, Better bootstrap confidence intervals,
JASA 1987), for shares Wilson's (1927). Two systems are always drawn together.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

Floats = NDArray[np.float64]
Aggregate = Callable[[Floats, Floats], Mapping[str, Floats]]

DRAWS = 2000  # the 2.5 % point of a normal then has a standard error of 0.06 of its spread
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and where it may lie. `n` counts the items in it, `failed` those that could not be parsed."""

    value: float
    low: float
    high: float
    n: int
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """Value of one system minus that of another on the same items. `draws` (B,) are the bootstrap's; `groups` what was drawn.

    `differing` counts the groups on which the two did not do alike: with none, the draws have no spread to look at.
    """

    value: float
    low: float
    high: float
    n: int
    groups: int
    differing: int
    failed: int
    draws: Floats

    def chance_at_most(self, bound: float) -> float:
        """One-sided p for the claim that the difference is above `bound`: share of draws that are not, never 0."""
        return float((1 + np.count_nonzero(self.draws <= bound)) / (1 + len(self.draws)))


@dataclass(frozen=True, slots=True)
class Sample:
    """A metric's values on all items, in each draw (B,) and without each group (G,), by name. `sums` (G, d) are those of the groups."""

    n: int
    groups: int
    sums: Floats
    whole: Mapping[str, Floats]
    drawn: Mapping[str, Floats]
    without: Mapping[str, Floats]


def grouped(statistics: Floats, groups: Sequence[str]) -> tuple[Floats, Floats]:
    """Sums (G, d) and counts (G,) over the items of each group. A group "" is an item of its own."""
    names = [group or f"\0{index}" for index, group in enumerate(groups)]
    _, place = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)
    size = int(place.max()) + 1 if len(place) else 0
    sums = np.zeros((size, statistics.shape[1]))
    np.add.at(sums, place, statistics)
    return sums, np.bincount(place, minlength=size).astype(np.float64)


@lru_cache(maxsize=4)
def draws_of(groups: int, seed: int, draws: int = DRAWS) -> Floats:
    """How often each group is in each draw, shape (draws, groups): multinomial, as counts of uniform picks (ten times as fast)."""
    picks = np.random.default_rng(seed).integers(0, groups, size=(draws, groups))
    picks += np.arange(draws)[:, None] * groups
    return np.bincount(picks.ravel(), minlength=draws * groups).reshape(draws, groups).astype(np.float64)


def resample(aggregate: Aggregate, statistics: Floats, groups: Sequence[str], seed: int) -> Sample:
    """All that intervals need, for items without NaN. Equal groups and seed give equal draws, so samples can be paired."""
    sums, counts = grouped(statistics, groups)
    weights = draws_of(len(sums), seed)
    return Sample(
        n=len(statistics),
        groups=len(sums),
        sums=sums,
        whole=aggregate(sums.sum(0), counts.sum()),
        drawn=aggregate(weights @ sums, weights @ counts),
        without=aggregate(sums.sum(0) - sums, counts.sum() - counts) if len(sums) > 1 else {},
    )


def interval(aggregate: Aggregate, statistics: Floats, groups: Sequence[str], seed: int) -> dict[str, Interval]:
    """Every value of a metric with its interval. Items with NaN are no part of it and are counted as failed."""
    sound = np.asarray(~np.isnan(statistics).any(axis=1))
    failed = int((~sound).sum())
    kept = statistics[sound]
    if not len(kept):
        names = aggregate(np.zeros(statistics.shape[1]), np.ones(()))
        return {name: Interval(math.nan, math.nan, math.nan, 0, failed) for name in names}
    sample = resample(aggregate, kept, [group for group, ok in zip(groups, sound.tolist(), strict=True) if ok], seed)
    found = {}
    for name, whole in sample.whole.items():
        if is_share(kept) and sample.groups == sample.n:
            low, high = wilson(int(kept.sum()), sample.n)
        else:
            low, high = bca(float(whole), sample.drawn[name], sample.without.get(name))
        found[name] = Interval(float(whole), low, high, sample.n, failed)
    return found


def difference(aggregate: Aggregate, name: str, one: Floats, other: Floats, groups: Sequence[str], seed: int) -> Difference:
    """One system's value minus another's on the same items, in the same order. An item that failed for either is left out."""
    sound = np.asarray(~(np.isnan(one).any(axis=1) | np.isnan(other).any(axis=1)))
    failed = int((~sound).sum())
    if not sound.any():
        return Difference(math.nan, math.nan, math.nan, 0, 0, 0, failed, np.full(DRAWS, np.nan))
    kept = [group for group, ok in zip(groups, sound.tolist(), strict=True) if ok]
    return apart(resample(aggregate, one[sound], kept, seed), resample(aggregate, other[sound], kept, seed), name, failed)


def apart(one: Sample, other: Sample, name: str, failed: int = 0) -> Difference:
    """The difference of two samples of the same items, groups and seed."""
    with np.errstate(invalid="ignore"):  # a draw in which a system has no value, and infinity minus itself, count as none (bca drops them)
        value = float(one.whole[name] - other.whole[name])
        drawn = np.asarray(one.drawn[name] - other.drawn[name], dtype=np.float64)
        without = np.asarray(one.without[name] - other.without[name]) if one.without else None
    low, high = bca(value, drawn, without)
    differing = int((one.sums != other.sums).any(axis=1).sum())
    return Difference(value, low, high, one.n, one.groups, differing, failed, drawn)


def bca(value: float, drawn: Floats, without: Floats | None, level: float = LEVEL) -> tuple[float, float]:
    """Bias-corrected and accelerated limits (Efron 1987, eq. 2.3 and 6.6). `without` are the jackknife's values, one a group."""
    drawn = np.sort(drawn[np.isfinite(drawn)])
    if not len(drawn) or drawn[0] == drawn[-1]:
        return (value, value) if len(drawn) else (math.nan, math.nan)
    below = (np.count_nonzero(drawn < value) + 0.5 * np.count_nonzero(drawn == value)) / len(drawn)
    bias = norm.ppf(min(max(below, 1 / len(drawn)), 1 - 1 / len(drawn)))
    acceleration = 0.0
    if without is not None:
        away = without[np.isfinite(without)].mean() - without[np.isfinite(without)]
        spread = float((away**2).sum()) ** 1.5
        acceleration = float((away**3).sum()) / (6 * spread) if spread > 0 else 0.0
    limits = []
    for z in (norm.ppf((1 - level) / 2), norm.ppf((1 + level) / 2)):
        shifted = bias + (bias + z) / (1 - acceleration * (bias + z))
        limits.append(float(np.quantile(drawn, norm.cdf(shifted))))
    return limits[0], limits[1]


def is_share(statistics: Floats) -> bool:
    """True where each item is a yes or a no."""
    return statistics.shape[1] == 1 and bool(np.isin(statistics, (0.0, 1.0)).all())


def wilson(yes: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score interval of a share."""
    limits = binomtest(yes, n).proportion_ci(confidence_level=level, method="wilson")
    return float(limits.low), float(limits.high)


def mcnemar(one: Floats, other: Floats) -> float:
    """Exact two-sided p that two systems are right equally often, from the items where only one of them is (0 and 1, shape (n,))."""
    only_one, only_other = int(((one == 1) & (other == 0)).sum()), int(((one == 0) & (other == 1)).sum())
    if only_one + only_other == 0:
        return 1.0
    return float(binomtest(only_one, only_one + only_other, 0.5).pvalue)


def holm(chances: Sequence[float]) -> list[float]:
    """Adjusted p values of a family (Holm, A simple sequentially rejective test procedure, 1979)."""
    order = sorted(range(len(chances)), key=lambda index: chances[index])
    adjusted = [1.0] * len(chances)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(chances) - rank) * chances[index]))
        adjusted[index] = highest
    return adjusted


def needed(deviation: float, distance: float, *, level: float = LEVEL, power: float = 0.8) -> int:
    """Items that show a difference to be above a bound with this power, when it truly is `distance` above it.

    `deviation` is that of one item's difference; for pass or fail with a share q of items on which exactly one of two equal
    systems is right, it is √q. The test is one-sided at (1 − level) / 2, the side of a two-sided interval that a gate looks at.
    """
    if distance <= 0:
        raise ValueError("a distance is above 0")
    z = float(norm.ppf((1 + level) / 2) + norm.ppf(power))
    return max(1, math.ceil((z * deviation / distance) ** 2 - 1e-9))
