"""`status`: what became of rows, and how far a stage is that is at work."""

import json
from pathlib import Path

import pytest

from distillc.cli.main import main
from distillc.runtimes.events import EventLog
from distillc.runtimes.journal import Journal

RUN = "20261124-100000-grammar"
STAGES = [("prose", "k0", "ingest"), ("answers", "k1", "generate"), ("total", "k2", "generate"), ("student", "k3", "train")]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Killed in the middle of `total`."""
    journal = Journal(tmp_path / "journal.sqlite3")
    journal.start(RUN, "grammar", "distill.yaml", STAGES)
    for stage, state, seconds in (("prose", "kept", None), ("answers", "sealed", 1.13), ("total", "running", None)):
        journal.mark(RUN, stage, state, seconds)
    journal.close()
    log = EventLog(tmp_path / "runs" / RUN / "events.jsonl")
    log.emit("stage kept", stage="prose", key="k0", kind="ingest", generated=40, kept=40, dropped={})
    for done in (0, 16, 40):
        log.emit("progress", stage="answers", done=done, total=40, unit="rows")
    log.emit("stage sealed", stage="answers", key="k1", kind="generate", seconds=1.13, generated=40, kept=27, dropped={"refused": 13})
    for done in (0, 8):
        log.emit("progress", stage="total", done=done, total=27, unit="rows")
    log.close()
    return tmp_path


def status(home: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(["status", "--store", str(home), *options]) == 0
    return capsys.readouterr().out


def test_a_line_a_stage_with_its_rows(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [line.split(maxsplit=1) for line in status(home, capsys).splitlines()[1:]] == [
        ["prose", "kept                     40 rows"],
        ["answers", "sealed            1.1 s  27 of 40 kept (13 refused)"],
        ["total", "interrupted              8 of 27 rows"],
        ["student", "waiting"],
    ]


def test_the_same_for_programs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stages = json.loads(status(home, capsys, "--format", "json"))["stages"]
    assert {stage["id"]: stage["rows"] for stage in stages} == {
        "prose": {"generated": 40, "kept": 40, "dropped": {}},
        "answers": {"generated": 40, "kept": 27, "dropped": {"refused": 13}},
        "total": {"done": 8, "total": 27, "unit": "rows"},
        "student": None,
    }
