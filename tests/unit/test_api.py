"""`import distillc`: lint, plan and run from Python."""

import json
from pathlib import Path
from typing import Any

import pytest

import distillc
from distillc.runtimes import executors

SPEC = """
distill: 1
name: light
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data:
  lines: {uses: jsonl, path: rows.jsonl}
curate:
  clean: {from: lines, steps: [dedup]}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"text": f"He go {word}."}) + "\n" for word in ("home", "away", "home")))
    (tmp_path / "distill.yaml").write_text(SPEC)
    return tmp_path / "distill.yaml"


def test_lint_plan_and_run(spec: Path, tmp_path: Path) -> None:
    assert distillc.lint(spec) == []
    assert [stage.id for stage in distillc.plan(spec)] == ["lines", "clean"]
    outcome = distillc.run(spec, store=str(tmp_path / "store"))
    assert outcome.error is None
    assert outcome.states == {"lines": "sealed", "clean": "sealed"}


def test_run_takes_the_executor_that_the_plan_names(spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[Any] = []
    real = executors.open_executor
    monkeypatch.setattr(executors, "open_executor", lambda plan, registry: (named.append(plan.runtime), real(plan, registry))[1])
    distillc.run(spec, store=str(tmp_path / "store"), overrides=["runtime=local"])
    assert named == [{"uses": "local"}]
