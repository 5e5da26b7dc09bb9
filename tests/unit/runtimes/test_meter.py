import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillc.plugins.api.artifacts import Completion
from distillc.runtimes.meter import Meter, Price, Reservation, Spent, spent_on
from distillc.runtimes.work import Allowance
from distillc.spec.errors import BudgetReached
from distillc.spec.money import dollars

QWEN = Price(input=Decimal("0.2"), output=Decimal("0.6"))


def test_money_is_tokens_times_price_per_million() -> None:
    # 0.2 * 3 / 10^6 + 0.6 * 7 / 10^6, by hand
    assert QWEN.of(3, 7) == Decimal("0.0000048")


def test_the_recorded_walk_through_cost_4_9_dollars_at_half_price() -> None:
    """22,114 requests came to $4.9 at $0.1 and $0.3, which is half of $0.2 and $0.6; 14.5 M tokens in and 11.5 M out make that sum."""
    half = Price(QWEN.input, QWEN.output, discount=Decimal("0.5"))
    assert half.of(14_500_000, 11_500_000) == Decimal("4.9")
    assert QWEN.of(14_500_000, 11_500_000) == Decimal("9.8")


def test_many_small_calls_add_up_exactly() -> None:
    """A sum of floats drifts: 0.1 ten times is not 1."""
    price = Price(Decimal("0.1"), Decimal("0.3"))
    completion = Completion(text="", finish_reason="stop", prompt_tokens=1, completion_tokens=1)
    assert spent_on([completion] * 100_000, price) == Spent(100_000, 100_000, 100_000, Decimal("0.04"))


def test_a_call_that_could_overshoot_is_refused_and_one_that_just_fits_is_not() -> None:
    meter = Meter(Allowance(usd=Decimal("0.0000048")), QWEN)
    with pytest.raises(BudgetReached) as caught:
        meter.reserve(3, 8)
    assert "may cost $0.0000054, and $0.0000048 may be spent" in caught.value.message
    assert caught.value.help is not None and "raise `budget.usd`" in caught.value.help
    assert caught.value.exit_code == 4
    meter.reserve(3, 7)


def test_what_is_reserved_counts_until_it_is_settled_for_less() -> None:
    meter = Meter(Allowance(tokens=30))
    first = meter.reserve(10, 10)
    with pytest.raises(BudgetReached):
        meter.reserve(10, 10)
    assert meter.in_flight == 1
    meter.settle(first, 8, 2)
    assert meter.left.tokens == 20
    meter.reserve(10, 10)


def test_a_call_that_was_never_answered_costs_nothing_once_released() -> None:
    meter = Meter(Allowance(calls=1, tokens=20, usd=Decimal(1)), QWEN)
    meter.release(meter.reserve(10, 10))
    assert meter.spent == Spent()
    assert meter.left == Allowance(calls=1, tokens=20, usd=Decimal(1))


def test_calls_are_rationed_too() -> None:
    meter = Meter(Allowance(calls=1))
    meter.settle(meter.reserve(1, 1), 1, 1)
    with pytest.raises(BudgetReached, match="no further call"):
        meter.reserve(1, 1)


def test_no_call_begins_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter(Allowance(until=1000.0))
    monkeypatch.setattr(time, "time", lambda: 999.9)
    meter.reserve(1, 1)
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    with pytest.raises(BudgetReached, match="is over"):
        meter.reserve(1, 1)


def test_what_was_spent_before_is_in_the_sum_and_not_in_the_allowance() -> None:
    meter = Meter(Allowance(), QWEN)
    meter.settle(None, 100, 100)
    meter.allow(Allowance(usd=Decimal("0.000002")))
    meter.settle(meter.reserve(4, 2), 4, 2)
    assert meter.spent == Spent(2, 104, 102, Decimal("0.000082"))
    assert meter.left.usd == 0


def test_a_lost_call_counts_at_the_most_that_it_may_have_cost() -> None:
    meter = Meter(Allowance(tokens=40), QWEN)
    meter.lose(meter.reserve(10, 10))
    meter.settle(meter.reserve(10, 10), 8, 2)
    assert meter.lost == Spent(1, 10, 10, Decimal("0.000008"))
    assert (meter.spent, meter.left.tokens) == (Spent(2, 18, 12, Decimal("0.0000108")), 10)


def test_what_a_kill_may_lose_is_told_before_it_is_sent() -> None:
    """Four calls at most begin between two words: so many a kill may lose, whichever of them are open, each at most the longest."""
    told: list[tuple[int, int, int, Decimal]] = []

    def tell() -> None:
        doubt = meter.in_doubt
        told.append((doubt.calls, doubt.prompt_tokens, doubt.completion_tokens, doubt.usd))

    meter = Meter(Allowance(), QWEN, tell)
    first, second = meter.reserve(10, 10), meter.reserve(20, 10)
    assert told == [(1, 10, 10, Decimal("0.000008")), (2, 40, 20, Decimal("0.00002"))]
    meter.settle(first, 10, 5)
    third = meter.reserve(10, 10)
    assert told[2:] == [(3, 60, 30, Decimal("0.00003"))]
    meter.told()  # the second and the third are open
    meter.settle(second, 20, 5)
    fourth = meter.reserve(10, 10)
    assert len(told) == 3
    meter.reserve(10, 10, in_job=True)
    meter.reserve(10, 10)
    assert told[3:] == [(4, 80, 40, Decimal("0.00004"))]
    meter.settle(third, 10, 5)
    meter.lose(fourth)
    meter.told(last=True)
    assert meter.in_doubt == Spent()


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "$0.00"), ("4.9000000", "$4.90"), ("100", "$100.00"), ("0.0000260", "$0.000026"), ("1.005", "$1.005"), ("0E-9", "$0.00")],
)
def test_money_is_written_in_full(amount: str, text: str) -> None:
    assert dollars(Decimal(amount)) == text


def test_a_call_is_settled_once() -> None:
    meter = Meter(Allowance())
    one = meter.reserve(1, 1)
    meter.settle(one, 1, 1)
    with pytest.raises(KeyError):
        meter.settle(one, 1, 1)
    with pytest.raises(KeyError):
        meter.release(one)


prices = st.decimals(min_value=0, max_value=100, places=3)
counts = st.integers(0, 5000)
call = st.tuples(counts, counts, st.integers(0, 3), st.integers(0, 2**30), st.floats(0, 1), st.floats(0, 1))


@given(
    usd=st.decimals(min_value=0, max_value=2, places=4),
    tokens=st.integers(0, 50_000),
    price=st.builds(Price, prices, prices, st.sampled_from([Decimal(0), Decimal("0.5")])),
    steps=st.lists(call, max_size=60),
)
def test_what_is_spent_never_exceeds_the_allowance(
    usd: Decimal, tokens: int, price: Price, steps: list[tuple[int, int, int, int, float, float]]
) -> None:
    """Whatever is reserved, settled for as much as was reserved or less, or released, in any order."""
    meter = Meter(Allowance(tokens=tokens, usd=usd), price)
    open_: list[Reservation] = []
    paid = Fraction(0)
    used = 0
    half = 1 - Fraction(price.discount)

    def settle(one: Reservation, first: float, second: float) -> None:
        nonlocal paid, used
        took = int(one.prompt_tokens * first), int(one.max_tokens * second)
        meter.settle(one, *took)
        paid += (Fraction(price.input) * took[0] + Fraction(price.output) * took[1]) * half / 10**6
        used += sum(took)

    endings: list[Callable[[Reservation, float, float], None]] = [settle, settle, lambda one, *_: meter.release(one)]
    for prompt, most, ending, which, first, second in steps:
        try:
            open_.append(meter.reserve(prompt, most))
        except BudgetReached:
            assert used + sum(one.tokens for one in open_) + prompt + most > tokens or paid + sum(
                Fraction(one.usd) for one in open_
            ) + Fraction(price.of(prompt, most)) > Fraction(usd)
        if open_ and ending < 3:
            endings[ending](open_.pop(which % len(open_)), first, second)
        assert Fraction(meter.spent.usd) == paid <= Fraction(usd)
        assert meter.spent.tokens == used <= tokens
    for one in open_:
        settle(one, 1.0, 1.0)
    assert Fraction(meter.spent.usd) == paid <= Fraction(usd)
    assert used <= tokens
