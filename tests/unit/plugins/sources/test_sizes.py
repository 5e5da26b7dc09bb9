"""How large a file is, before a row of it is read."""

import json
from pathlib import Path

import pytest

from distillc.plugins.sources import sizes
from distillc.plugins.sources.configs import CsvConfig, JsonLinesConfig

TASK = {"input": "text", "target": "fixed"}


def of(config: JsonLinesConfig | CsvConfig, folder: Path) -> dict[str, object]:
    return dict(config.estimate({"folder": folder, "task": TASK}))


def test_rows_are_counted_and_texts_measured(tmp_path: Path) -> None:
    rows = [{"text": "a" * 10}, {"text": "ä" * 10, "fixed": "b" * 6}, {"text": "c" * 30, "fixed": "d" * 8}]
    (tmp_path / "rows.jsonl").write_text("\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    assert of(JsonLinesConfig(path="rows.jsonl"), tmp_path) == {"rows": 3, "input_bytes": 20, "target_bytes": 7}
    assert of(JsonLinesConfig(path="rows.jsonl", limit=2), tmp_path)["rows"] == 2


def test_names_and_quotes_of_a_csv_file(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('id;sentence\n1;"two\nlines; one row"\n2;abcd\n', encoding="utf-8")
    config = CsvConfig(path="rows.csv", delimiter=";", names={"text": "sentence"})
    assert of(config, tmp_path) == {"rows": 2, "input_bytes": (18 + 4) / 2}


def test_of_a_large_file_lines_are_counted_and_its_first_part_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of 23 bytes, then of 43: the mean is 33, and of 23 bytes 10 are text; so a text has about 10 * 33 / 23."""
    monkeypatch.setattr(sizes, "HEAD", 100)
    lines = ['{"text": "aaaaaaaaaa"}'] * 50 + [f'{{"text": "{"a" * 30}"}}'] * 50
    (tmp_path / "rows.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    found = of(JsonLinesConfig(path="rows.jsonl"), tmp_path)
    assert found["rows"] == 100
    assert found["input_bytes"] == pytest.approx(10 * 33 / 23)


@pytest.mark.parametrize("content", [None, b"{", b"\xff", b"[" * 100_000])
def test_of_a_file_that_is_not_there_or_damaged_nothing_is_said(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "rows.jsonl").write_bytes(content)
    assert of(JsonLinesConfig(path="rows.jsonl"), tmp_path) == {}
