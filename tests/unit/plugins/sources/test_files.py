"""JSON Lines and CSV: fields under the task's names, and one clear error with file and line for each kind of bad line."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from distillc.plugins.api.artifacts import Row, Task
from distillc.plugins.api.sources import SourceContext
from distillc.plugins.sources.configs import CsvConfig, JsonLinesConfig
from distillc.plugins.sources.csv import Csv
from distillc.plugins.sources.jsonl import JsonLines
from distillc.spec.errors import StageFailed, UsageError

TASK = Task(kind="generate", input="text", target="fixed", prompt="{{ text }}")


def read(folder: Path, name: str, **config: Any) -> list[Row]:
    source = Csv(CsvConfig(path=name, **config)) if name.endswith("csv") else JsonLines(JsonLinesConfig(path=name, **config))
    return list(source.read(SourceContext(folder=folder, task=TASK, seed=0)))


def test_json_lines_become_rows_with_the_tasks_fields(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "He go.", "fixed": "He goes.", "doc": 7}\n\n{"text": "Fine.", "doc": 8}\n')
    rows = read(tmp_path, "a.jsonl", group="doc")
    assert [(dict(row.payload), row.source, row.group) for row in rows] == [
        ({"input": "He go.", "target": "He goes."}, "a.jsonl:1", "7"),
        ({"input": "Fine."}, "a.jsonl:3", "8"),
    ]


def test_csv_fields_are_renamed_and_quoted_line_breaks_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('bad;good\n"He\ngo; now.";He goes.\nFine.;Fine.\n')
    rows = read(tmp_path, "a.csv", delimiter=";", names={"text": "bad", "fixed": "good"})
    assert [(dict(row.payload), row.source) for row in rows] == [
        ({"input": "He\ngo; now.", "target": "He goes."}, "a.csv:3"),
        ({"input": "Fine.", "target": "Fine."}, "a.csv:4"),
    ]
    assert len(read(tmp_path, "a.csv", delimiter=";", names={"text": "bad"}, limit=1)) == 1


@pytest.mark.parametrize(
    ("name", "content", "where", "message"),
    [
        ("a.jsonl", '{"text": "a"}\n{"text": \n', "a.jsonl:2", "not JSON"),
        ("a.jsonl", '{"text": "a"}\n["a"]\n', "a.jsonl:2", "not an object but a list"),
        ("a.jsonl", '{"txt": "a"}\n', "a.jsonl:1", "there is no field 'text'; there are txt"),
        ("a.jsonl", '{"text": 3}\n', "a.jsonl:1", "field 'text' must be a text, not 3"),
        ("a.jsonl", '{"text": " "}\n', "a.jsonl:1", "field 'text' is empty"),
        ("a.csv", "txt,fixed\na,b\n", "a.csv:2", "there is no field 'text'; there are fixed, txt"),
        ("a.csv", "text,fixed\na,b\na\n", "a.csv:3", "does not have the 2 fields of the header"),
        ("a.csv", "text,fixed\na,b,c\n", "a.csv:2", "does not have the 2 fields of the header"),
        ("a.csv", 'text,fixed\n"a"b,c\n', "a.csv:2", "not CSV"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, name: str, content: str, where: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(StageFailed) as failure:
        read(tmp_path, name)
    assert message in failure.value.message
    assert failure.value.where == where
    assert failure.value.help


def test_names_of_no_field_of_the_task_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    with pytest.raises(StageFailed, match="`txet`") as failure:
        read(tmp_path, "a.jsonl", names={"txet": "text"})
    assert failure.value.help == "did you mean `text`?"


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_missing_file_is_an_error_in_the_plan_and_in_the_stage(tmp_path: Path, name: str) -> None:
    with pytest.raises(StageFailed, match="cannot read the file: No such file"):
        read(tmp_path, name)
    with pytest.raises(UsageError, match=f"cannot read {name}"):
        JsonLinesConfig(path=name).revisions(tmp_path)


def test_revisions_are_the_digest_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text\na\n")
    assert CsvConfig(path="a.csv").revisions(tmp_path) == {"a.csv": "sha256:" + hashlib.sha256(b"text\na\n").hexdigest()}


def test_rows_do_not_hang_on_where_a_file_lies_on_this_machine(tmp_path: Path) -> None:
    """Two folders give one key, for an absolute path is called by its file's name there: so the rows must be the same too."""
    found = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jsonl").write_text('{"text": "He go."}\n')
        found.append(read(tmp_path, str(tmp_path / name / "a.jsonl")))
    assert found[0] == found[1]
    assert found[0][0].source == "a.jsonl:1"
