"""The records of a JSON Lines file: one object a line, UTF-8, empty lines skipped."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from distillc.spec.errors import StageFailed


def json_lines(file: Path, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each record with its line; `name` is what errors call the file. Raises StageFailed for a file that cannot be read and for a line
    that is no object."""
    try:
        with file.open("rb") as stream:
            for line, data in enumerate(stream, start=1):
                if data.strip():
                    yield line, _object(data, name, line)
    except OSError as error:
        raise StageFailed(
            f"cannot read the file: {error.strerror}", where=name, help="paths are relative to the folder of the spec"
        ) from None


def _object(data: bytes, name: str, line: int) -> dict[str, Any]:
    try:
        record = json.loads(data.decode("utf-8-sig" if line == 1 else "utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise StageFailed(f"not JSON: {error}", where=f"{name}:{line}", help="one JSON object a line, in UTF-8") from None
    if not isinstance(record, dict):
        raise StageFailed(f"not an object but a {type(record).__name__}", where=f"{name}:{line}", help='one object a line: {"text": …}')
    return record
