"""Gates: the three verdicts, and how often they are wrong on systems that are made to be equal or at the margin."""

import numpy as np
import pytest
from numpy.typing import NDArray

from distillc.runtimes.proof.gates import Claim, clean_sheet, decide
from distillc.runtimes.proof.statistics import Difference, difference, needed

BETTER, CLOSE = Claim(None, True), Claim(0.05, True)


def gap(value: float, low: float, high: float, *, n: int = 1000, failed: int = 0) -> Difference:
    """A difference whose draws spread as its interval does."""
    draws = value + (high - low) / 3.92 * np.random.default_rng(0).standard_normal(2000)
    return Difference(value, low, high, n, n, n, failed, draws)


@pytest.mark.parametrize(
    ("claim", "difference", "verdict"),
    [
        (BETTER, gap(0.05, 0.02, 0.08), "pass"),
        (BETTER, gap(0.02, -0.01, 0.05), "undecided"),
        (BETTER, gap(-0.05, -0.08, -0.02), "fail"),
        (CLOSE, gap(0.0, -0.03, 0.03), "pass"),
        (CLOSE, gap(-0.03, -0.06, 0.0), "undecided"),
        (CLOSE, gap(-0.09, -0.12, -0.06), "fail"),
        (CLOSE, gap(-0.03, -0.045, -0.015), "pass"),  # worse, but by less than the margin
        (Claim(None, False), gap(-0.05, -0.08, -0.02), "pass"),  # fewer lints are better
        (Claim(None, False), gap(0.05, 0.02, 0.08), "fail"),
        (Claim(0.05, False), gap(0.0, -0.03, 0.03), "pass"),
        (Claim(0.05, False), gap(0.03, 0.0, 0.06), "undecided"),
    ],
)
def test_the_side_of_the_whole_interval_decides(claim: Claim, difference: Difference, verdict: str) -> None:
    assert decide(claim, difference).verdict == verdict


def test_more_than_one_in_a_hundred_unparsed_never_passes() -> None:
    assert decide(BETTER, gap(0.05, 0.02, 0.08, n=990, failed=10)).verdict == "pass"
    assert decide(BETTER, gap(0.05, 0.02, 0.08, n=989, failed=11)).verdict == "undecided"
    assert decide(BETTER, gap(-0.05, -0.08, -0.02, n=900, failed=100)).verdict == "fail"


def test_other_gates_of_the_evaluation_count() -> None:
    assert decide(BETTER, gap(0.05, 0.02, 0.08), chance=0.06).verdict == "undecided"


def test_agreeing_on_a_few_items_proves_nothing() -> None:
    same = np.ones((20, 1))
    equal = difference(lambda totals, n: {"": totals[..., 0] / n}, "", same, same, [""] * 20, seed=0)
    assert (equal.low, equal.high) == (0, 0)
    assert decide(CLOSE, equal).verdict == "undecided"
    assert clean_sheet(20) == pytest.approx(0.168, abs=1e-3)  # (1 - 0.168)^20 = 0.025


@pytest.mark.parametrize("claim", [BETTER, CLOSE, Claim(None, False)])
def test_a_metric_without_a_value_never_passes(claim: Claim) -> None:
    none = np.zeros((20, 1))
    gap = difference(lambda totals, n: {"": totals[..., 0] / (0 * n)}, "", none, none, [""] * 20, seed=0)
    assert np.isnan(gap.value)
    assert decide(claim, gap).verdict == "undecided"


def test_a_difference_that_is_seen_in_most_of_a_few_groups_is_not_hidden_behind_a_clean_sheet() -> None:
    """Better by 0.1 in each of 31 modules: a clean sheet of 31 would leave 0.11 open, but this sheet is not clean."""
    share = lambda totals, n: {"": totals[..., 0] / n}  # noqa: E731
    groups = [f"module {number // 10}" for number in range(310)]
    other = np.array([[float(number % 10 < 4)] for number in range(310)])
    one = np.array([[float(number % 10 < 5)] for number in range(310)])
    better = difference(share, "", one, other, groups, seed=0)
    assert (better.groups, better.differing) == (31, 31)
    assert clean_sheet(31) > better.value == pytest.approx(0.1)
    assert decide(BETTER, better).verdict == "pass"


@pytest.mark.parametrize(("differing", "verdict"), [(5, "undecided"), (6, "pass")])
def test_as_many_groups_must_differ_as_a_sign_test_wants(differing: int, verdict: str) -> None:
    draws = 0.2 + 0.02 * np.random.default_rng(0).standard_normal(2000)
    assert decide(BETTER, Difference(0.2, 0.16, 0.24, 15, 15, differing, 0, draws)).verdict == verdict  # 0.5 ** 6 = 0.016 < 0.025


def test_equal_students_in_uneven_modules_pass_at_most_one_time_in_twenty() -> None:
    """Modules of 1 to 20 items that are hard and easy: what is drawn is few and uneven, and nothing is added to the interval."""
    rng = np.random.default_rng(0)
    sizes = [20, 18, 16, 14, 12, 10, 10, 9, 8, 8, 7, 7, 6, 6, 5, 5, 5, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 1, 1, 1, 1]
    groups = [f"module {module}" for module, size in enumerate(sizes) for _ in range(size)]
    count = 0
    for _ in range(300):
        right = np.repeat(np.clip(rng.normal(0.5, 0.15, len(sizes)), 0.05, 0.95), sizes)
        one, other = ((rng.random(len(groups)) < right).astype(float)[:, None] for _ in range(2))
        count += decide(BETTER, difference(lambda totals, n: {"": totals[..., 0] / n}, "", one, other, groups, seed=0)).verdict == "pass"
    assert count / 300 <= 0.05


def test_nothing_scored_is_undecided() -> None:
    assert decide(BETTER, Difference(np.nan, np.nan, np.nan, 0, 0, 0, 5, np.full(10, np.nan))).verdict == "undecided"


def passed(rng: np.random.Generator, n: int, discordance: float, truth: float, claim: Claim, trials: int) -> float:
    """How often two systems pass that truly differ by `truth` and disagree on a share `discordance` of the items."""

    def share(totals: NDArray[np.float64], items: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        return {"": np.asarray(totals[..., 0] / items)}

    count = 0
    for _ in range(trials):
        which = rng.random((n, 1))
        both = (rng.random((n, 1)) < 0.5).astype(float)
        better, worse = (discordance + truth) / 2, (discordance - truth) / 2
        one = np.where(which < better, 1.0, np.where(which < better + worse, 0.0, both))
        other = np.where(which < better, 0.0, np.where(which < better + worse, 1.0, both))
        count += decide(claim, difference(share, "", one, other, [""] * n, seed=0)).verdict == "pass"
    return count / trials


@pytest.mark.parametrize(("discordance", "claim"), [(0.15, Claim(0.1, True)), (0.3, Claim(0.1, True)), (0.2, BETTER)])
def test_students_at_the_margin_pass_at_most_one_time_in_twenty(discordance: float, claim: Claim) -> None:
    rng = np.random.default_rng(0)
    assert passed(rng, 120, discordance, claim.bound, claim, 300) <= 0.05


def test_equal_students_pass_four_times_in_five_at_the_stated_number_of_items() -> None:
    n = needed(0.2**0.5, 0.12)
    assert passed(np.random.default_rng(1), n, 0.2, 0.0, Claim(0.12, True), 300) >= 0.75  # 80 % less three standard errors
