"""Which rows are measured on where not all of them are: the same ones for every model, so that differences pair."""

import hashlib
from collections.abc import Sequence

from distillc.plugins.api.artifacts import Row


def drawn(rows: Sequence[Row], limit: int | None, seed: int) -> list[Row]:
    """At most `limit` rows, in their order: those whose ids hash lowest with the seed, so fewer rows are a part of more.

    The first ones would not do: rows of one module, document or group stand together.
    """
    if limit is None or limit >= len(rows):
        return list(rows)
    kept = set(sorted(range(len(rows)), key=lambda index: _draw(rows[index].row_id, seed))[:limit])
    return [row for index, row in enumerate(rows) if index in kept]


def _draw(row_id: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}\0{row_id}".encode(), digest_size=8).digest()
