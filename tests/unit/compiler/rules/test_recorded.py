"""Recorded answers in a spec: they teach by their text alone, and nothing is timed that does not run here."""

import hashlib
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


def test_a_soft_loss_learns_nothing_from_them_without_log_probabilities_and_a_tokenizer(
    spec: str, compiled: Callable[..., Compiled]
) -> None:
    with pytest.raises(InvalidSpec) as refused:
        compiled(spec.replace("teacher: teacher}}}", "teacher: them}}}"))
    errors = [finding for finding in refused.value.diagnostics if finding.severity.value == "error"]
    assert [finding.code for finding in errors] == ["D450", "D450"]
    assert not [finding for finding in refused.value.diagnostics if finding.code == "D453"], "that its tokenizer is unknown is told once"
    assert [word for word in ("top_logprobs", "tokenizer") if not any(word in str(finding.help) for finding in errors)] == []


def test_one_of_a_panel_is_told_to_answer_alone(spec: str, compiled: Callable[..., Compiled]) -> None:
    panel = spec.replace("uses: answer, model: them", "uses: answer, model: [them, teacher], keep: all")
    assert panel != spec
    with pytest.raises(InvalidSpec) as refused:
        compiled(panel.replace("teacher: teacher}}}", "teacher: them}}}"))
    helps = [finding.help for finding in refused.value.diagnostics if "are those of `them`, `teacher`" in finding.message]
    assert helps == ["have `them` alone answer, or use a hard loss"]


def test_with_both_what_they_told_is_gathered(spec: str, compiled: Callable[..., Compiled], tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    spec = spec.replace("path: a.jsonl", "path: a.jsonl, tokenizer: tokenizer.json").replace(
        "model: them}", "model: them, top_logprobs: 5}"
    )
    plan = compiled(spec.replace("teacher: teacher}}}", "teacher: them}}}")).plan
    [capture] = [stage for stage in plan.stages if stage.kind == "capture"]
    assert capture.id == "student/capture"
    assert capture.config["temperatures"] == [1.0]
    assert capture.config["engine"] is None
    assert capture.config["gathers"] == {
        "uses": "recorded",
        "tokenizer": "tokenizer.json",
        "revision": f"hf:{hashlib.sha256(b'{}').hexdigest()}",
    }
    elsewhere = spec.replace("tokenizer: tokenizer.json", "tokenizer: there/tokenizer.json")
    (tmp_path / "there").mkdir()
    (tmp_path / "tokenizer.json").rename(tmp_path / "there" / "tokenizer.json")
    moved = compiled(elsewhere.replace("teacher: teacher}}}", "teacher: them}}}")).plan
    keys = [
        {stage.id: stage.key for stage in each.stages if stage.kind != "bundle"} for each in (plan, moved)
    ]  # a bundle has the spec in it
    assert keys[0] == keys[1], "a path enters no key"
