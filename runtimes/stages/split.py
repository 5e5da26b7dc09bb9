"""Splits rows into train, validation and test, without tearing a group apart.

The order is that of a hash of seed and row id, so it does not depend on the order of the source, and a row that is added moves no
other. With `by: module` groups are taken whole, in the order of their own hash: first those that fit into what is still wanted;
when none fits any more, the smallest of the rest fills up, and what is left of it belongs to no side (`split_surplus`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from distillc.plugins.api.artifacts import Row, Split
from distillc.runtimes.stages.context import StageContext
from distillc.runtimes.store.rows import write_artifact
from distillc.spec.errors import StageFailed

SURPLUS = "split_surplus"


def run(context: StageContext) -> dict[str, Any]:
    rows = context.rows("rows")
    wanted: list[tuple[Split, int]] = [
        ("test", int(context.config.get("test") or 0)),
        ("validation", int(context.config.get("validation") or 0)),
    ]
    sides, surplus = divide(rows, wanted, by_group=context.config["by"] != "row", seed=context.seed, where=context.stage.id)
    kept = write_artifact(context.out, (replace(row, split=split) for split, found in sides.items() for row in found))
    return {"rows": kept, "generated": len(rows), "kept": sum(kept.values()), "dropped": {SURPLUS: surplus} if surplus else {}}


def divide(
    rows: Sequence[Row], wanted: Sequence[tuple[Split, int]], *, by_group: bool, seed: int, where: str
) -> tuple[dict[Split, list[Row]], int]:
    """Rows by split, each in the order of their hash, exactly as many as wanted; and how many rows belong to no side.

    Raises StageFailed where there are too few rows or groups.
    """
    if by_group and any(not row.group for row in rows):
        raise StageFailed(
            "some rows belong to no module, document or group", where=where, help="split `by: row`, or name the source's `group` field"
        )
    ordered = sorted(rows, key=lambda row: (_place(seed, row.row_id), row.row_id))
    groups: dict[str, list[Row]] = {}
    for row in ordered:
        groups.setdefault(row.group if by_group else row.row_id, []).append(row)
    free = sorted(groups, key=lambda group: (_place(seed, f"group {group}"), group))
    sides: dict[Split, list[Row]] = {}
    surplus = 0
    for split, count in wanted:
        if not count:
            continue
        taken = _fill([(group, len(groups[group])) for group in free], count)
        if taken is None:
            raise StageFailed(
                f"{len(rows)} rows in {len(groups)} groups are too few for {' and '.join(f'{n} {name}' for name, n in wanted if n)} rows",
                where=where,
                help="ask for fewer, or read more",
            )
        chosen = set(taken)
        free = [group for group in free if group not in chosen]
        # The group that fills up stands last: the others go in whole.
        found = [row for group in taken for row in groups[group]]
        surplus += len(found) - count
        sides[split] = found[:count]
    sides["train"] = [row for group in free for row in groups[group]]
    if not sides["train"]:
        raise StageFailed("the split leaves no rows for training", where=where, help="ask for fewer validation and test rows, or read more")
    places = {row.row_id: place for place, row in enumerate(ordered)}
    return {split: sorted(found, key=lambda row: places[row.row_id]) for split, found in sides.items()}, surplus


def _fill(sizes: Sequence[tuple[str, int]], count: int) -> list[str] | None:
    """Groups of `count` rows or, with the last of them, a little more. None if all together have fewer."""
    taken: list[str] = []
    rest: list[tuple[int, str]] = []
    for group, size in sizes:
        if size <= count:
            taken.append(group)
            count -= size
        else:
            rest.append((size, group))
        if not count:
            return taken
    return [*taken, min(rest, key=lambda pair: pair[0])[1]] if rest else None


def _place(seed: int, text: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{text}".encode()).digest()
