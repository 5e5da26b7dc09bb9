"""Speed, so that numbers can be compared: one request at a time, equal prompts, equally many tokens, models taking turns.

A machine drifts (heat, neighbours); when every model has a turn in every round, the drift hits all alike.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median
from typing import Protocol


class Timed(Protocol):
    def timed(self, prompts: Sequence[str], tokens: int) -> Iterator[float]: ...


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds from prompt to last token over all rounds; tokens generated a second, the median of the rounds."""

    p50: float
    p95: float
    tokens_per_second: float
    latencies: tuple[float, ...]


def in_turns(
    models: Mapping[str, Callable[[], AbstractContextManager[Timed]]], prompts: Sequence[str], tokens: int, rounds: int
) -> dict[str, Speed]:
    """Seconds by model. `models` open a model for its turn (and may keep it); each turn starts with a prompt that does not count."""
    seconds: dict[str, list[list[float]]] = {name: [] for name in models}
    names = list(models)
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            with models[name]() as running:
                list(running.timed(prompts[:1], tokens))
                seconds[name].append(list(running.timed(prompts, tokens)))
    return {name: speed(found, tokens) for name, found in seconds.items()}


def speed(rounds: Sequence[Sequence[float]], tokens: int) -> Speed:
    """`rounds`: seconds of each prompt, a list for each round."""
    every = sorted(second for one in rounds for second in one)
    rate = median(tokens * len(one) / sum(one) for one in rounds)
    return Speed(1000 * quantile(every, 0.5), 1000 * quantile(every, 0.95), rate, tuple(every))


def quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between neighbours, as numpy's default."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
