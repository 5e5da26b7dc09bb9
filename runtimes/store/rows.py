"""Rows on disk: Parquet, zstd, the same bytes for the same rows.

Columns are the envelope of `Row`, its `logprobs` where a row has some and, for each key of the payloads, `payload.KEY`: a string where
every value is one, else JSON text (its field says so in its metadata). A null is a key that the row does not have; None in a payload is
the same as no key.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from distillc.plugins.api.artifacts import SPLITS, Row
from distillc.spec.errors import StageFailed, StoreDamaged

PREFIX = "payload."
FORM = b"distillc.form"
ENVELOPE: tuple[tuple[str, Any], ...] = (
    ("row_id", pa.string()),
    ("source", pa.string()),
    ("group", pa.string()),
    ("split", pa.string()),
    ("generator", pa.string()),
    ("teacher", pa.string()),
    ("finish_reason", pa.string()),
    ("usage", pa.map_(pa.string(), pa.int64())),
    ("parents", pa.list_(pa.string())),
)
LOGPROBS = "logprobs"  # packed; a column only where a row has some
ROWS_PER_FILE = 50_000
ROW_GROUP = 8192  # rows; a fixed number keeps the bytes a function of the rows


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    columns: list[Any] = []
    schema: list[Any] = []
    for name, kind in ENVELOPE:
        values: list[Any] = [getattr(row, name) for row in rows]
        if name == "usage":
            values = [sorted(value.items()) for value in values]
        columns.append(pa.array(values, type=kind))
        schema.append(pa.field(name, kind))
    if any(row.logprobs for row in rows):
        columns.append(pa.array([row.logprobs for row in rows], type=pa.binary()))
        schema.append(pa.field(LOGPROBS, pa.binary()))
    for key in sorted({key for row in rows for key in row.payload}):
        values = [row.payload.get(key) for row in rows]
        form = b"text" if all(value is None or isinstance(value, str) for value in values) else b"json"
        if form == b"json":
            values = [None if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False) for value in values]
        columns.append(pa.array(values, type=pa.string()))
        schema.append(pa.field(PREFIX + key, pa.string(), metadata={FORM: form}))
    table = pa.Table.from_arrays(columns, schema=pa.schema(schema))
    pq.write_table(table, path, compression="zstd", row_group_size=ROW_GROUP, write_statistics=False)


def read_rows(path: Path) -> list[Row]:
    """Raises StoreDamaged for a file that is no rows file."""
    try:
        # One thread: a process a stage reads small files, and a pool would outlive the read.
        table = pq.ParquetFile(path).read(use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise StoreDamaged(f"{path.name} can't be read as rows: {error}", help="run `distillc verify`") from error
    if "row_id" not in table.column_names:
        raise StoreDamaged(f"{path.name} is a Parquet file without row_id: not rows", help="run `distillc verify`")
    forms = {field.name: (field.metadata or {}).get(FORM) for field in table.schema}
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    payload = {name.removeprefix(PREFIX): (columns[name], forms[name] == b"json") for name in columns if name.startswith(PREFIX)}
    return [
        Row(
            row_id=columns["row_id"][i],
            payload=_payload(payload, i),
            source=columns["source"][i],
            group=columns["group"][i],
            split=columns["split"][i],
            generator=columns["generator"][i],
            teacher=columns["teacher"][i],
            finish_reason=columns["finish_reason"][i],
            usage=dict(columns["usage"][i]),
            parents=tuple(columns["parents"][i]),
            logprobs=columns[LOGPROBS][i] if LOGPROBS in columns else b"",
        )
        for i in range(table.num_rows)
    ]


def _payload(columns: Mapping[str, tuple[Sequence[str | None], bool]], i: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, (values, is_json) in columns.items():
        value = values[i]
        if value is not None:
            found[key] = json.loads(value) if is_json else value
    return found


def write_artifact(out: Path, rows: Iterable[Row]) -> dict[str, int]:
    """The files `{split}-{n:05}.parquet` of a rows artifact, in the order of `rows`. Returns the number of rows by split.

    Raises StageFailed where two rows have one id.
    """
    by_split: dict[str, list[Row]] = {}
    seen: set[str] = set()
    for row in rows:
        if row.row_id in seen:
            raise StageFailed(f"two rows have the id {row.row_id!r}", help="a row_id must be a pure function of where the row comes from")
        seen.add(row.row_id)
        by_split.setdefault(row.split, []).append(row)
    for split, found in by_split.items():
        for number, start in enumerate(range(0, len(found), ROWS_PER_FILE)):
            write_rows(out / f"{split}-{number:05}.parquet", found[start : start + ROWS_PER_FILE])
    return {split: len(by_split[split]) for split in SPLITS if split in by_split}
