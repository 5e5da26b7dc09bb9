"""What APIs ask for: `prices.json`, each price with the day on which it was seen, and where.

A price that a spec names goes before. They change without notice: one of this table is good for an estimate and a budget until it is old,
and a model that is not here has none.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from distillc.compiler.tables.services import service_of

BATCH_DISCOUNT = Decimal("0.5")
"""The share of a price that batches save: at OpenAI, Nebius and Together alike, by their documentation of 2026-11-24."""


def listed_price(model: Mapping[str, Any]) -> dict[str, Any] | None:
    """The price of an API model, given as the fields of its entry, in the form in which an entry has it."""
    found = next((one for one in _table() if (one["service"], one["name"]) == (service_of(model), model.get("name"))), None)
    return {key: found[key] for key in ("input", "output", "date")} if found else None


@cache
def _table() -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_bytes())
    return found
