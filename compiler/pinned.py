"""What the lock knows of models, for a `lint` that may read nothing else.

Facts count only for the fields that they were read for: a spec that names another file has a model of which nothing is known. Read line
by line, as `lock.py` writes it: to import a TOML parser takes a third of a bare interpreter's time, and a test holds the two together.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from distillc.compiler.outline.models import FACTS, Origin

FIELDS = "fields"
"""The key under which a model's facts name what they were read for."""


def fields_digest(uses: str, fields: Mapping[str, Any]) -> str:
    """A name for a plugin and its fields, defaults included, short enough for people."""
    return hashlib.sha256(json.dumps([uses, fields], sort_keys=True).encode()).hexdigest()[:16]


class Pinned:
    """Called with a model's origin (`outline/models.py:Learn`): the facts that any part of the lock, of whichever profile, has of it."""

    def __init__(self, lock: str) -> None:
        """`lock` is the text of a lock; what is not as we write it is passed over."""
        self.facts = {name: found for found in pinned_facts(lock) if (name := found.pop(FIELDS, None))}

    def __call__(self, origin: Origin) -> Mapping[str, Any] | None:
        return self.facts.get(fields_digest(origin.uses, origin.fields)) if origin.parent is None else None


def pinned_facts(lock: str) -> list[dict[str, Any]]:
    """The tables of facts in the text of a lock, those of profiles too."""
    found: list[dict[str, Any]] = []
    inside = False
    for line in lock.split("\n"):
        if line.startswith("["):
            inside = line.startswith("[facts.") or (line.startswith("[profile.") and ".facts." in line)
            if inside:
                found.append({})
        elif inside and " = " in line:
            key, _, value = line.partition(" = ")
            if key in FACTS or key == FIELDS:
                found[-1] |= _value(key, value)
    return found


def _value(key: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return {key: value} if isinstance(value, str | int) else {}
