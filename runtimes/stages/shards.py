"""How the rows of a map are cut into shards: the same for every map, so that a shard's key means the same everywhere."""

import hashlib
from collections.abc import Sequence

from distillc.plugins.api.artifacts import Row
from distillc.runtimes.store.sealed import canonical
from distillc.runtimes.work import Shard


def cut(rows: Sequence[Row], size: int) -> tuple[Shard, ...]:
    """Shards of at most `size` rows, in the order of the rows."""
    starts = range(0, len(rows), size)
    return tuple(
        Shard(number, start, min(start + size, len(rows)), digest(rows[start : start + size])) for number, start in enumerate(starts)
    )


def digest(rows: Sequence[Row]) -> str:
    """Of ids and payloads: what enters a shard's key."""
    found = hashlib.sha256()
    for row in rows:
        found.update(canonical([row.row_id, row.split, row.payload]).encode())
    return found.hexdigest()
