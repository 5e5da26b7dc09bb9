"""Recorded answers in a spec: they teach by their text alone, and nothing is timed that does not run here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from distillc.compiler.front import Compiled
from distillc.spec.errors import InvalidSpec
from tests.unit.compiler.rules.test_rules import TINY

THEM = "models:\n  them: {uses: recorded, path: a.jsonl, license: MIT}\n"


@pytest.fixture
def spec(tmp_path: Path) -> str:
    (tmp_path / "a.jsonl").write_text('{"input": "a", "answer": "b"}\n')
    return TINY.replace("models:\n", THEM).replace("{uses: answer, model: teacher}", "{uses: answer, model: them}")


def test_they_answer_and_are_evaluated_but_not_measured(spec: str, compiled: Callable[..., Compiled]) -> None:
    plan = compiled(spec.replace("models: [small,", "models: [them, small,")).plan
    [measure] = [stage for stage in plan.stages if stage.kind == "measure"]
    assert measure.config["models"] == ["small", "teacher", "student", "q8"]
    [answers] = [stage for stage in plan.stages if stage.id == "answers"]
    assert answers.config["engine"] == {"uses": "recorded"}


def test_a_soft_loss_learns_nothing_from_them(spec: str, compiled: Callable[..., Compiled]) -> None:
    with pytest.raises(InvalidSpec) as refused:
        compiled(spec.replace("teacher: teacher}}}", "teacher: them}}}"))
    assert [finding.code for finding in refused.value.diagnostics if finding.severity.value == "error"] == ["D450"]
