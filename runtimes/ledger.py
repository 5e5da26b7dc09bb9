"""What a run has spent, by stage: seconds and tokens, added up from its events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Spent:
    """`seconds` of wall time; tokens of models that were asked, and of rows that were trained on."""

    seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    trained_tokens: int = 0


def spent(events: Iterable[Mapping[str, Any]]) -> dict[str, Spent]:
    """By stage, in the order in which stages first appear. An interrupted try counts: it was paid for."""
    total: dict[str, Spent] = {}
    for event in events:
        stage = event.get("stage")
        if not isinstance(stage, str):
            continue
        before = total.get(stage, Spent())
        kind = event["event"]
        ended = kind in ("stage sealed", "stage failed", "stage interrupted")
        total[stage] = Spent(
            before.seconds + (float(event.get("seconds") or 0.0) if ended else 0.0),
            before.prompt_tokens + (int(event.get("prompt_tokens") or 0) if kind == "tokens spent" else 0),
            before.completion_tokens + (int(event.get("completion_tokens") or 0) if kind == "tokens spent" else 0),
            before.trained_tokens + (int(event.get("tokens") or 0) if kind == "trained" else 0),
        )
    return total
