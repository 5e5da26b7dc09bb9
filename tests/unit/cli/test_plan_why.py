"""`plan` and `why` as a person sees them: exit codes, what is printed, what is written."""

import json
from pathlib import Path
from typing import Any

import pytest

from distillc.cli.main import main
from distillc.compiler.plan import from_json
from distillc.runtimes.store import Sealed, open_store

SPEC = """\
distill: 1
name: small
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data: {prose: {uses: jsonl, path: rows.jsonl}}
generate: {pairs: {from: prose, limit: 8, steps: [{uses: corrupt, errors: common}]}}
profiles: {few: {generate.pairs.limit: 2}}
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DISTILLC_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("DISTILLC_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text('{"text": "a b c d"}\n')
    (tmp_path / "distill.yaml").write_text(SPEC)
    return tmp_path / "distill.yaml"


def seal_all(plan_file: Path) -> None:
    plan = from_json(plan_file.read_text())
    keys = {stage.id: stage.key for stage in plan}
    store = open_store(None)
    for s in plan:
        inputs = {port: keys[entry.stage] for port, entry in s.inputs.items()}
        store.seal(Sealed(key=s.key, stage=s.id, kind=s.kind, uses=s.uses, config=s.config, inputs=inputs))


def test_a_plan_is_printed_saved_and_locked(spec: Path, capsys: Any) -> None:
    assert main(["plan", "-o", "plan.json"]) == 0
    out = capsys.readouterr().out
    assert "pairs" in out
    assert "2 stages · 0 done, 2 to run" in out
    assert from_json((spec.parent / "plan.json").read_text()).name == "small"
    assert "rows.jsonl" in (spec.parent / "distill.lock").read_text()
    assert str(spec.parent) not in (spec.parent / "distill.lock").read_text() + (spec.parent / "plan.json").read_text()


def test_json_is_a_plan(spec: Path, capsys: Any) -> None:
    assert main(["plan", str(spec), "--format", "json", "--profile", "few"]) == 0
    plan = from_json(capsys.readouterr().out)
    assert plan.profile == "few"
    assert plan.stage("pairs").config["limit"] == 2


def test_what_is_tried_with_set_pins_nothing(spec: Path) -> None:
    assert main(["plan", "--set", "generate.pairs.limit=3"]) == 0
    assert not (spec.parent / "distill.lock").exists()


def test_a_spec_with_findings_is_refused(spec: Path, capsys: Any) -> None:
    (spec.parent / "rows.jsonl").unlink()
    assert main(["plan"]) == 2
    err = capsys.readouterr().err
    assert "D153" in err
    assert "distill.yaml:4" in err


def test_a_file_that_is_not_there_is_bad_usage(spec: Path, capsys: Any) -> None:
    assert main(["plan", "other.yaml"]) == 2
    assert "other.yaml" in capsys.readouterr().err


def test_why_names_the_field_that_changed(spec: Path, capsys: Any) -> None:
    main(["plan", "-o", "plan.json"])
    seal_all(spec.parent / "plan.json")
    capsys.readouterr()
    assert main(["why"]) == 0
    assert capsys.readouterr().out == "nothing to run: small is done\n"
    assert main(["why", "distill.yaml", "pairs", "--set", "generate.pairs.limit=9"]) == 0
    assert capsys.readouterr().out == "pairs\n    pairs: limit 8 -> 9\n"
    assert main(["why", "pairs", "--set", "generate.pairs.limit=9"]) == 0
    assert capsys.readouterr().out == "pairs\n    pairs: limit 8 -> 9\n"
    assert main(["why", "--set", "generate.pairs.limit=9"]) == 0
    assert capsys.readouterr().out == "pairs: limit 8 -> 9\n1 of 2 stages to run\n"


def test_why_follows_a_changed_file_to_its_root(spec: Path, capsys: Any) -> None:
    main(["plan", "-o", "plan.json"])
    seal_all(spec.parent / "plan.json")
    (spec.parent / "rows.jsonl").write_text('{"text": "e f g h"}\n')
    capsys.readouterr()
    assert main(["why", "distill.yaml", "pairs", "--format", "json"]) == 0
    (reason,) = json.loads(capsys.readouterr().out)
    (root,) = reason["roots"]
    assert (reason["through"], root["stage"], root["field"]) == ({"rows": "prose"}, "prose", "revisions.rows.jsonl")
    assert main(["plan"]) == 0
    assert "distill.lock: data.prose rows.jsonl sha256:" in capsys.readouterr().err


def test_why_of_a_name_that_is_not_there_suggests_one(spec: Path, capsys: Any) -> None:
    for arguments in (["distill.yaml", "pears"], ["pears"]):
        assert main(["why", *arguments]) == 2
        assert "`pairs`" in capsys.readouterr().err
