"""How many calls at a time: what an API says is kept, and what more of them bring is measured on a clock of our own."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from distillc.runtimes.remote.pacing import MOST, START, Pace, retry_after, seconds


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def longest(low: float, high: float) -> float:
    return high


def served(pace: Pace, clock: Clock, slots: int, calls: int) -> None:
    """A server that answers `slots` calls at a time, each in a second; the others wait."""
    for _ in range(calls):
        width = pace.room(0)
        clock.now += 1.0 / min(width, slots)
        pace.answered({})


@pytest.mark.parametrize(("slots", "low", "high"), [(1, 2, 4), (16, 16, 32), (1000, MOST, MOST)])
def test_it_widens_while_answers_come_faster_for_it(slots: int, low: int, high: int) -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    assert pace.room(0) == START
    served(pace, clock, slots, 2000)
    assert low <= pace.limit <= high


def test_a_number_that_was_given_is_the_most() -> None:
    clock = Clock()
    pace = Pace(6, clock=clock)
    assert (pace.room(0), pace.room(4), pace.room(9)) == (6, 2, 0)
    served(pace, clock, 1000, 500)
    assert pace.limit == 6


def test_a_refusal_that_names_no_time_halves_the_calls_and_waits_longer_each_time() -> None:
    clock = Clock()
    pace = Pace(16, clock=clock, draw=longest)
    waits = []
    for _ in range(8):
        pace.refused({})
        assert pace.room(0) == 0
        waits.append(pace.wait)
        clock.now += pace.wait
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert (pace.limit, pace.room(0), pace.refusals) == (1, 1, 8)
    pace.answered({})
    assert pace.refusals == 0


def test_a_limit_of_a_minute_is_waited_out_where_nobody_names_a_time() -> None:
    """Refused tries may count too, and another may use the same limit: some minutes are waited before it is in vain."""
    clock = Clock()
    pace = Pace(16, clock=clock)
    begun = clock.now
    while not pace.in_vain(retries=5):
        pace.refused({})
        clock.now += pace.wait
    assert 300 <= clock.now - begun <= 360  # no wait is longer than a minute
    pace.answered({})
    pace.refused({})
    assert not pace.in_vain(retries=0), "from an answer on it begins anew"


def test_a_named_time_that_was_too_short_is_waited_for_longer() -> None:
    clock = Clock()
    pace = Pace(16, clock=clock, draw=longest)
    waits = []
    for _ in range(5):
        pace.refused({"retry-after-ms": "500"})
        waits.append(pace.wait)
        clock.now += pace.wait
    assert waits == pytest.approx([0.55, 2, 4, 8, 16])
    assert pace.limit == 16


def test_calls_that_went_out_together_are_refused_once() -> None:
    pace = Pace(16, clock=Clock(), draw=longest)
    for _ in range(16):
        pace.refused({})
    assert (pace.limit, pace.refusals, pace.wait) == (8, 1, 1)


def test_what_retry_after_says_is_waited_for_and_costs_no_width() -> None:
    clock = Clock()
    pace = Pace(16, clock=clock, draw=longest)
    pace.refused({"retry-after": "20"})
    assert (pace.limit, pace.wait) == (16, 21)  # and up to a tenth more, for others wait for the same moment
    clock.now += 21
    assert pace.room(0) == 16


def test_it_narrows_to_what_is_left_and_pauses_when_nothing_is() -> None:
    clock = Clock()
    pace = Pace(16, clock=clock)
    pace.answered({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "30s"})
    assert (pace.room(0), pace.wait) == (5, 0)
    pace.answered({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "30s"})
    assert (pace.room(0), pace.wait) == (0, 30)
    clock.now += 30
    assert pace.room(0) == 16


def test_a_limit_of_the_day_is_not_waited_out_in_silence() -> None:
    pace = Pace(16, clock=Clock())
    pace.answered({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "7h0m0s"})
    assert (pace.room(0), pace.wait) == (1, 0), "one more call hears that it is used up"
    assert pace.refused({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "7h0m0s"}) == 7 * 3600


def test_tokens_that_are_left_are_calls_by_what_a_call_takes() -> None:
    pace = Pace(16, clock=Clock())
    pace.answered({"x-ratelimit-remaining-tokens": "1000", "x-ratelimit-reset-tokens": "9s"}, tokens=200)
    assert pace.room(0) == 5
    pace.answered({"x-ratelimit-remaining-tokens": "150", "x-ratelimit-reset-tokens": "9s"}, tokens=200)
    assert pace.wait == 9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20", 20),
        ("0.5", 0.5),
        ("120ms", 0.12),
        ("6m0s", 360),
        ("1h2m3.5s", 3723.5),
        *((none, 0) for none in ("", "soon", "-3", "nan", "3 weeks")),
    ],
)
def test_durations_as_servers_write_them(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)


def test_moments_as_servers_write_them() -> None:
    then = datetime.now(UTC) + timedelta(seconds=90)
    for text in (format_datetime(then, usegmt=True), then.isoformat(), str(time.time() + 90)):
        assert seconds(text) == pytest.approx(90, abs=2)
    assert seconds(format_datetime(then - timedelta(days=1), usegmt=True)) == 0
    assert retry_after({"retry-after-ms": "1500", "retry-after": "7"}) == 1.5
    assert retry_after({"retry-after": "7"}) == 7
