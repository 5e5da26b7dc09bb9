"""Drops rows whose texts are too long or too short."""

import math
from collections.abc import Iterator, Sequence

from distillc.plugins.api.artifacts import Row
from distillc.plugins.api.curators import CurateContext
from distillc.plugins.curators.configs import LengthConfig
from distillc.runtimes.texts import texts

_CHARACTERS_A_TOKEN = 4  # what English takes under the tokenizers of today, within a fifth


class Length:
    """Reasons: `too_short`, `too_long`."""

    def __init__(self, config: LengthConfig) -> None:
        self.config = config

    def judge(self, rows: Sequence[Row], context: CurateContext) -> Iterator[str | None]:
        for row in rows:
            yield self._verdict(row)

    def _verdict(self, row: Row) -> str | None:
        config = self.config
        counts = [len(text.split()) for text in texts(row)]
        if config.min_words is not None and any(count < config.min_words for count in counts):
            return "too_short"
        if config.max_words is not None and any(count > config.max_words for count in counts):
            return "too_long"
        if config.max_tokens is not None and target_tokens(row) > config.max_tokens:
            return "too_long"
        return None


def target_tokens(row: Row) -> int:
    """Tokens of the target: counted by the model that wrote it, else estimated from above for English; 0 without a target."""
    counted = row.usage.get("completion_tokens")
    target = row.payload.get("target")
    if not isinstance(target, str):
        return 0
    if counted is not None:
        return counted
    return max(math.ceil(len(target) / _CHARACTERS_A_TOKEN), len(target.split()))
