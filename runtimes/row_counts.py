"""What became of the rows that a stage made, as an artifact's meta and the log have it."""

from collections.abc import Mapping
from typing import Any

COUNTS = ("generated", "kept", "dropped")


def counts_in(found: Mapping[str, Any]) -> dict[str, Any]:
    """`generated`, `kept` and `dropped` by reason; empty for what yields no rows."""
    return {name: found[name] for name in COUNTS} if all(name in found for name in COUNTS) else {}
