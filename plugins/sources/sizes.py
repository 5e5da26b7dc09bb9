"""How many rows a file has at most, and how long their texts are: what a plan's estimates hang on before a row is read.

Lines are counted in all of it; texts are measured in its first part and scaled by how long lines are in all.
"""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

HEAD = 1 << 20
"""Bytes that are parsed: some thousand rows, in some milliseconds."""


def sizes(
    file: Path, parse: Callable[[str], Iterable[Mapping[str, Any]]], *, header: int, input: str, target: str, limit: int | None
) -> dict[str, Any]:
    """`rows`, and where a record has them `input_bytes` and `target_bytes`, each the mean of a row. Empty for a file that is not readable.

    Args:
        parse: a part of the file, cut at the end of a line, as records; may raise what `json` and `csv` raise where it is damaged.
        header: so many lines are no record.
        input, target: what the file calls the two.
    """
    try:
        with file.open("rb") as stream:
            head = stream.read(HEAD)
            lines, size, last = head.count(b"\n"), len(head), head[-1:]
            while chunk := stream.read(HEAD):
                lines, size, last = lines + chunk.count(b"\n"), size + len(chunk), chunk[-1:]
    except OSError:
        return {}
    lines += last not in (b"\n", b"")
    whole = size == len(head)
    part = head if whole else head[: head.rfind(b"\n") + 1]
    try:
        records = list(parse(part.decode("utf-8-sig", errors="replace")))
    except (ValueError, RecursionError, csv.Error):
        return {}
    rows = len(records) if whole else max(lines - header, 0)
    scale = 1.0 if whole or not part else (size / lines) / (len(part) / part.count(b"\n"))
    found: dict[str, Any] = {"rows": rows if limit is None else min(rows, limit)}
    for name, bytes_ in (("input_bytes", _mean(records, input)), ("target_bytes", _mean(records, target))):
        if bytes_ is not None:
            found[name] = bytes_ * scale
    return found


def _mean(records: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """Bytes of a field in the records that have it."""
    lengths = [len(text.encode("utf-8", "replace")) for record in records if isinstance(text := record.get(name), str)]
    return sum(lengths) / len(lengths) if lengths else None
