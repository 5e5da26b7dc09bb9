"""Numbers for people."""

import pytest

from distillc.runtimes.report import figures


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "–"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (61_400_000, "61.4 MB"),
        (538_090_408, "538 MB"),
        (2_500_000_000, "2.5 GB"),
        (10**12, "1000 GB"),
    ],
)
def test_sizes(count: int | None, text: str) -> None:
    assert figures.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (0.44, "0.4 s"), (9.96, "10 s"), (59.6, "1 min 00 s"), (372, "6 min 12 s"), (3780, "1 h 03 min")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert figures.duration(seconds) == text


def test_differences_have_a_sign_and_intervals_two_ends() -> None:
    assert (figures.signed(0.05), figures.signed(-0.0125), figures.signed(None)) == ("+0.050", "−0.013", "–")
    assert figures.interval({"value": 0.5, "low": 0.4, "high": 0.6}) == "0.500 [0.400, 0.600]"
    assert figures.interval({"value": 0.5, "low": None, "high": None}) == "0.500"
    assert figures.interval(None) == figures.interval({"value": None}) == "–"
