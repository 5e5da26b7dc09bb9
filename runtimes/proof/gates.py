"""Gates: is a model better than another, or not worse by more than a margin? Yes, no, or too few items to say.

Where the two systems differ on too few groups for any test, the interval is not taken to be narrower than what a clean sheet of so
many groups would leave open: systems that agree on every one of 20 items may still differ on one in six. Without this, a bootstrap of
equal items has no width and passes anything. Where they differ on more, the draws have their spread and nothing is added: a clean
sheet of 31 modules leaves 0.11 open, which would hide any true difference below it, however often it was seen.
"""

import math
from dataclasses import dataclass
from typing import Literal

from distillc.runtimes.proof.statistics import LEVEL, Difference, needed

Verdict = Literal["pass", "fail", "undecided"]
FAILURES = 0.01  # a gate never passes on more unparsed items than this share (design: parse failures are a class, not a score)


@dataclass(frozen=True, slots=True)
class Claim:
    """`margin` None asks for superiority; a margin, in units of the metric, for non-inferiority."""

    margin: float | None
    higher_is_better: bool

    @property
    def bound(self) -> float:
        """What the difference, turned so that more is better, must be above."""
        return 0.0 if self.margin is None else -self.margin


@dataclass(frozen=True, slots=True)
class Decision:
    """`low` and `high` hold the difference model − other in the metric's own direction; `needed` items would decide with 80 % power."""

    verdict: Verdict
    low: float
    high: float
    chance: float
    reason: str
    needed: int | None


def decide(claim: Claim, difference: Difference, chance: float | None = None) -> Decision:
    """Pass when the whole interval is on the right side of the bound, fail when it is on the wrong one, undecided otherwise.

    `chance` is the one-sided p after a correction for other gates of the same evaluation (Holm); None: this gate is alone.
    """
    if difference.n == 0:
        return Decision("undecided", math.nan, math.nan, 1.0, "no item could be scored", None)
    if not all(map(math.isfinite, (difference.value, difference.low, difference.high))):  # nothing is ever above or below that
        return Decision("undecided", math.nan, math.nan, 1.0, "the metric has no value for one of them", None)
    open_still = clean_sheet(difference.groups) if too_few(difference.differing) else 0.0
    low, high = min(difference.low, difference.value - open_still), max(difference.high, difference.value + open_still)
    worst, best = (low, high) if claim.higher_is_better else (-high, -low)
    chance = one_sided(claim, difference) if chance is None else chance
    share = difference.failed / (difference.failed + difference.n)
    towards = needed_for(claim, difference)
    verdict: Verdict = "undecided"
    if best < claim.bound:
        verdict, reason = "fail", "the whole interval is on the wrong side"
    elif worst <= claim.bound:
        reason = "the interval holds the bound"
    elif share > FAILURES:
        reason = f"{share:.1%} of the items could not be parsed"
    elif chance > (1 - LEVEL) / 2:
        reason = f"with the other gates of this evaluation counted in, chance alone would do it with p = {chance:.3f}"
    else:
        verdict, reason = "pass", "the whole interval is on the right side"
    return Decision(verdict, low, high, chance, reason, towards)


def one_sided(claim: Claim, difference: Difference) -> float:
    """The chance of such draws if the claim did not hold."""
    if claim.higher_is_better:
        return difference.chance_at_most(claim.bound)
    return float((1 + (difference.draws >= -claim.bound).sum()) / (1 + len(difference.draws)))


def too_few(differing: int) -> bool:
    """Whether a sign test could not tell the systems apart even if one were better on every group that differs: up to 5 groups."""
    return bool(0.5**differing > (1 - LEVEL) / 2)


def clean_sheet(groups: int) -> float:
    """What share of cases may still differ when none of so many did: 1 − 0.025^(1/groups), about 3.7 / groups."""
    return float(1 - ((1 - LEVEL) / 2) ** (1 / groups))


def needed_for(claim: Claim, difference: Difference) -> int | None:
    """Items for 80 % power: of a non-inferiority gate if the two are equal, of a superiority gate if the difference is as seen."""
    deviation = float(difference.draws.std()) * math.sqrt(difference.n)
    distance = abs(difference.value) if claim.margin is None else claim.margin
    return needed(deviation, distance) if distance > 0 and deviation > 0 else None
