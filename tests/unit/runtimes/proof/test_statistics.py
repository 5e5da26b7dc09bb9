"""Intervals and tests against scipy's and against published numbers."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import bootstrap

from distillc.runtimes.proof.statistics import bca, difference, draws_of, grouped, holm, interval, mcnemar, needed, wilson


def mean(totals: NDArray[np.float64], n: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {"": np.asarray(totals[..., 0] / n)}


def test_groups_are_summed_and_nameless_items_stand_alone() -> None:
    sums, counts = grouped(np.array([[1.0], [2.0], [4.0], [8.0]]), ["a", "", "a", ""])
    assert sorted(zip(sums[:, 0].tolist(), counts.tolist(), strict=True)) == [(2, 1), (5, 2), (8, 1)]


def test_draws_are_multinomial_counts() -> None:
    draws = draws_of(50, seed=1, draws=4000)
    assert (draws.sum(1) == 50).all()
    assert abs(draws.mean() - 1) < 1e-9
    assert draws.var() == pytest.approx(1 - 1 / 50, rel=0.03)  # n p (1 - p)


def test_bca_agrees_with_scipy_on_skewed_data() -> None:
    data = np.random.default_rng(3).exponential(size=80)
    theirs = bootstrap((data,), np.mean, method="BCa", n_resamples=20_000, rng=np.random.default_rng(0)).confidence_interval
    draws = draws_of(80, seed=0, draws=20_000) @ data / 80
    without = (data.sum() - data) / 79
    assert bca(float(data.mean()), draws, without) == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_clustering_widens_what_copies_would_narrow() -> None:
    values = np.repeat(np.random.default_rng(0).normal(size=(30, 1)), 10, axis=0)  # 30 documents, each said ten times
    alone = interval(mean, values, [""] * 300, seed=0)[""]
    clustered = interval(mean, values, [str(number // 10) for number in range(300)], seed=0)[""]
    assert (clustered.high - clustered.low) / (alone.high - alone.low) == pytest.approx(np.sqrt(10), rel=0.15)


def test_wilson_is_the_textbook_one() -> None:
    # Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3: 81/263 and 15/148
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


def test_shares_of_single_items_get_wilson() -> None:
    found = interval(mean, np.array([[1.0]] * 81 + [[0.0]] * 182), [""] * 263, seed=0)[""]
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_failed_items_are_counted_and_never_scored() -> None:
    found = interval(mean, np.array([[0.5], [np.nan], [1.5]]), [""] * 3, seed=0)[""]
    assert (found.value, found.n, found.failed) == (1.0, 2, 1)


def test_pairing_cancels_what_both_systems_share() -> None:
    rng = np.random.default_rng(0)
    hard = rng.normal(size=(200, 1))
    gap = difference(mean, "", hard + 0.1, hard, [""] * 200, seed=0)
    assert (gap.low, gap.value, gap.high) == pytest.approx((0.1, 0.1, 0.1))


def test_equal_inputs_give_equal_intervals() -> None:
    values = np.random.default_rng(0).normal(size=(40, 1))
    assert interval(mean, values, [""] * 40, seed=5) == interval(mean, values, [""] * 40, seed=5)


def test_mcnemar_needs_six_one_way_items() -> None:
    one, other = np.ones(6), np.zeros(6)
    assert mcnemar(one, other) == pytest.approx(2 * 0.5**6)  # 0.03
    assert mcnemar(one[:5], other[:5]) > 0.05
    assert mcnemar(one, one) == 1.0


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])


def test_needed_items_are_those_of_the_power_table() -> None:
    # (1.645 + 0.842)² q / margin²: one-sided 5 %, power 80 %, discordance .1 / .2 / .3, margin .05 and .02
    assert [needed(q**0.5, 0.05, level=0.9) for q in (0.1, 0.2, 0.3)] == pytest.approx([247, 495, 742], abs=1)
    assert [needed(q**0.5, 0.02, level=0.9) for q in (0.1, 0.2, 0.3)] == pytest.approx([1546, 3092, 4637], abs=1)
