"""What became of the rows that a stage made, in words: counts as an artifact's meta and the log's `stage sealed` have them."""

from collections.abc import Mapping
from typing import Any

from distillc.spec.render.paint import safe


def in_words(counts: Mapping[str, Any]) -> str:
    """`27 of 40 kept (13 refused)`, or `40 rows` where all are."""
    if not counts["dropped"]:
        return f"{counts['kept']:,} row{'s' * (counts['kept'] != 1)}"
    return f"{counts['kept']:,} of {counts['generated']:,} kept ({by_reason(counts['dropped'])})"


def by_reason(reasons: Mapping[str, int]) -> str:
    """`13 refused, 2 truncated`."""
    return ", ".join(f"{number:,} {safe(reason)}" for reason, number in reasons.items())
