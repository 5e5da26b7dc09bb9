"""What was planned, beside what it has cost: by stage and by model, with words for what is a bound and what is not."""

import json
from pathlib import Path
from typing import Any

import pytest

from distillc.cli.cost import estimates_by_model
from distillc.cli.main import main
from distillc.runtimes.events import EventLog
from distillc.runtimes.journal import Journal

ASKED = {"rows": 20, "tokens": 1280, "prompt_tokens": 29_113, "usd": "0.0303930"}
ANSWERS = {**ASKED, "uncounted": None, "models": {"big": ASKED}}
TRAINED = {"rows": 40, "trained_tokens": 18_250_000, "usd": "7.3"}
STUDENT = {**TRAINED, "tokens": None, "uncounted": "inputs", "models": {"student": TRAINED}}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    journal = Journal(tmp_path / "journal.sqlite3")
    journal.start("20261124-100000-money", "money", "distill.yaml", [("total", "k1", "generate"), ("student", "k2", "train")])
    journal.close()
    log = EventLog(tmp_path / "runs" / "20261124-100000-money" / "events.jsonl")
    log.emit("run started", run="20261124-100000-money", estimates={"total": ANSWERS, "student": STUDENT})
    for stage, key, kind in (("total", "k1", "generate"), ("student", "k2", "train")):
        log.emit("stage started", stage=stage, key=key, kind=kind)
        if kind == "train":
            log.emit("trained", stage=stage, tokens=17_000_000, job="job", price="0.4")
        log.emit("stage sealed", stage=stage, key=key, kind=kind, seconds=1.0)
    log.close()
    return tmp_path


def cost(home: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(["cost", "--store", str(home), *options]) == 0
    return capsys.readouterr().out


def test_rows_and_answers_are_bounds_and_money_is_not(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A stage may be called `total`; the last line is none."""
    _, _, answers, student, total = cost(home, capsys).splitlines()
    assert answers.endswith("  ≤ 20 rows, 1,280 tokens out; about 29,113 in, $0.0304")
    assert student.endswith("$6.80  ≤ 40 rows; about 18,250,000 trained, $7.30 without inputs")
    assert total.endswith("$6.80")


def test_by_model_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (student,) = [line for line in cost(home, capsys, "--by", "model").splitlines() if line.startswith("  student")]
    assert student.endswith("$6.80  ≤ 40 rows; about 18,250,000 trained, $7.30 without inputs")


def test_a_model_is_asked_in_several_stages() -> None:
    panel: dict[str, Any] = {"uncounted": "inputs", "models": {"big": ASKED, "other": {**ASKED, "usd": None}}}
    found = estimates_by_model([ANSWERS, panel, STUDENT, {"rows": 3, "tokens": 5}])
    assert found["big"] == {"rows": 40, "tokens": 2560, "prompt_tokens": 58_226, "usd": "0.0607860", "uncounted": "inputs"}
    assert found["other"]["usd"] is None
    assert found.keys() == {"big", "other", "student"}
    json.dumps(found)
