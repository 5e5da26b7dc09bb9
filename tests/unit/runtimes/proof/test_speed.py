"""Speed: turns, warm-up and quantiles, on a clock that the test makes up."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest

from distillc.runtimes.proof.speed import in_turns, quantile, speed


class Fake:
    def __init__(self, name: str, seconds: float, log: list[tuple[str, int]]) -> None:
        self.name, self.seconds, self.log = name, seconds, log

    def timed(self, prompts: Sequence[str], tokens: int) -> Iterator[float]:
        self.log.append((self.name, len(prompts)))
        yield from (self.seconds for _ in prompts)


def test_models_take_turns_and_each_turn_warms_up() -> None:
    log: list[tuple[str, int]] = []

    def opened(name: str, seconds: float):  # type: ignore[no-untyped-def]
        @contextmanager
        def turn() -> Iterator[Fake]:
            yield Fake(name, seconds, log)

        return turn

    found = in_turns({"a": opened("a", 0.1), "b": opened("b", 0.2)}, ["x", "y", "z"], tokens=8, rounds=2)
    assert log == [("a", 1), ("a", 3), ("b", 1), ("b", 3), ("b", 1), ("b", 3), ("a", 1), ("a", 3)]
    assert [found["a"].p50, found["b"].p95] == pytest.approx([100, 200])
    assert found["b"].tokens_per_second == pytest.approx(40)
    assert len(found["a"].latencies) == 6


def test_one_slow_round_moves_no_median_rate() -> None:
    assert speed([[1.0, 1.0], [9.0, 9.0], [1.0, 1.0]], tokens=10).tokens_per_second == pytest.approx(10)


def test_quantiles_are_numpys() -> None:
    values = sorted(np.random.default_rng(0).random(37).tolist())
    for share in (0.0, 0.5, 0.95, 1.0):
        assert quantile(values, share) == pytest.approx(np.quantile(values, share))
