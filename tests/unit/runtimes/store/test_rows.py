"""Rows on disk: what goes in comes out, in the same bytes each time."""

import hashlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillc.plugins.api.artifacts import SPLITS, Row
from distillc.runtimes.store.rows import read_rows, write_artifact, write_rows
from distillc.spec.errors import StageFailed, StoreDamaged

FULL = Row(
    row_id="r1",
    payload={"input": "a cats", "target": "a cat"},
    source="numpy:numpy.linalg:12",
    group="numpy.linalg",
    split="test",
    generator="answer",
    teacher="teacher",
    finish_reason="stop",
    usage={"prompt_tokens": 3, "completion_tokens": 2},
    parents=("r0",),
    logprobs=b"\x00packed\xff",
)

TEXT = st.text(st.characters(codec="utf-8"))
PAYLOADS = st.dictionaries(
    st.sampled_from(["input", "target", "output", "label", "scores"]),
    TEXT | st.integers(-(2**53), 2**53) | st.booleans() | st.lists(st.floats(allow_nan=False, allow_infinity=False)),
)


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    rows = [FULL, Row(row_id="r2", payload={"input": ""}, source="x")]
    write_rows(tmp_path / "rows.parquet", rows)
    assert read_rows(tmp_path / "rows.parquet") == rows


@given(st.lists(PAYLOADS, max_size=6))
def test_any_payload_comes_back(tmp_path_factory: pytest.TempPathFactory, payloads: list[dict[str, object]]) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    rows = [Row(row_id=str(i), payload=payload, source="s") for i, payload in enumerate(payloads)]
    write_rows(path, rows)
    assert read_rows(path) == rows


def test_equal_rows_give_equal_bytes_whatever_the_order_of_their_keys(tmp_path: Path) -> None:
    swapped = Row(**{**{f: getattr(FULL, f) for f in FULL.__dataclass_fields__}, "payload": {"target": "a cat", "input": "a cats"}})
    digests = set()
    for name, row in (("a", FULL), ("b", FULL), ("c", swapped)):
        write_rows(tmp_path / name, [row])
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_another_tool_reads_text_as_text(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.parquet", [FULL])
    table = pq.read_table(tmp_path / "rows.parquet")
    assert table.column("payload.target").to_pylist() == ["a cat"]
    assert pq.ParquetFile(tmp_path / "rows.parquet").metadata.row_group(0).column(0).compression == "ZSTD"


def test_an_artifact_has_a_file_for_each_split_that_has_rows(tmp_path: Path) -> None:
    rows = [Row(row_id=str(i), payload={}, source="s", split=SPLITS[0] if i < 3 else SPLITS[2]) for i in range(5)]
    assert write_artifact(tmp_path, rows) == {"train": 3, "test": 2}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test-00000.parquet", "train-00000.parquet"]


def test_two_rows_with_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="two rows have the id 'r1'"):
        write_artifact(tmp_path, [FULL, FULL])


def test_a_file_that_is_no_parquet_is_damage(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"nonsense")
    with pytest.raises(StoreDamaged, match=r"rows\.parquet can't be read as rows"):
        read_rows(tmp_path / "rows.parquet")
