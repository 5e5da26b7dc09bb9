"""A run's report comes back with the time of every stage that its models hang on, wherever that stage was made."""

import json
from pathlib import Path
from typing import Any

import pytest

from distillc.runtimes.journal import Journal
from distillc.runtimes.recorded import from_bundle, recorded
from distillc.runtimes.store import Sealed, Store, open_store
from distillc.spec.errors import UsageError

ROWS = [{"name": name, "role": "reference", "metrics": {}} for name in ("teacher", "student", "rules")]


def seal(store: Store, tmp: Path, key: str, inputs: dict[str, str], kind: str = "train", content: str = "", **files: Any) -> None:
    folder = tmp / f"files-{key}"
    folder.mkdir()
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    stage = "test/report" if kind == "report" else key.split("@")[0]
    store.seal(Sealed(key=key, stage=stage, kind=kind, inputs=inputs, content_key=content), folder)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two runs: the first made the teacher (after one interruption), the second adopted it under a new key and made the rest."""
    store = open_store(str(tmp_path / "store"))
    seal(store, tmp_path, "teacher@old", {}, content="same")
    seal(store, tmp_path, "teacher@new", {}, content="same")
    seal(store, tmp_path, "student@new", {"model": "teacher@new"})
    report = {"run": {"name": "x"}, "rows": ROWS, "gates": []}
    details = {"curves": {"student": {"history": []}}}
    seal(store, tmp_path, "report@new", {"history.student": "student@new", "m": "teacher@new"}, "report", report=report, details=details)
    journal = Journal(store.home / "journal.sqlite3")
    journal.rebuild(store.all())
    journal.start("run-0", "x", "s", [("teacher", "teacher@old", "train")])
    journal.mark("run-0", "teacher", "interrupted", 10.0)
    journal.start("run-1", "x", "s", [("teacher", "teacher@old", "train")])
    journal.mark("run-1", "teacher", "sealed", 30.0)
    stages = [("teacher", "teacher@new", "train"), ("student", "student@new", "train"), ("test/report", "report@new", "report")]
    journal.start("run-2", "x", "s", stages)
    journal.mark("run-2", "teacher", "adopted")
    journal.mark("run-2", "student", "sealed", 5.0)
    journal.mark("run-2", "test/report", "sealed", 0.5)
    journal._db.execute("INSERT OR REPLACE INTO contents VALUES ('same', 'teacher@old')")
    journal.close()
    return store


def test_chains_count_interruptions_and_what_was_adopted(store: Store) -> None:
    (found,) = recorded(store)
    assert (found.run, found.stage) == ("run-2", "test/report")
    assert found.report["run"]["seconds"] == {"teacher": 40.0, "student": 45.0}
    assert {stage["id"]: stage["seconds"] for stage in found.details["stages"]} == {"teacher": 40.0, "student": 5.0, "test/report": 0.5}
    assert found.details["curves"]["student"]["seconds"] == 5.0


def test_a_run_without_report_or_name_says_so(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="as far as a report"):
        recorded(store, "run-1")
    with pytest.raises(UsageError, match="no run 'other'"):
        recorded(store, "other")
    with pytest.raises(UsageError, match="nothing has run"):
        recorded(open_store(str(tmp_path / "empty")))
    with pytest.raises(UsageError, match="neither a run nor a bundle 'dist/'"):
        recorded(store, "dist/")


def test_a_bundle_is_a_report_too(tmp_path: Path) -> None:
    (tmp_path / "evaluation.json").write_text(json.dumps({"run": {}, "rows": [], "gates": []}))
    assert from_bundle(tmp_path)["rows"] == []
    with pytest.raises(UsageError, match=r"evaluation\.json: No such file or directory"):
        from_bundle(tmp_path / "other")
    (tmp_path / "evaluation.json").write_text("[1")
    with pytest.raises(UsageError, match="no report in this folder"):
        from_bundle(tmp_path)
