"""What lint lets pass, plan and run let pass: one policy."""

from collections.abc import Callable
from typing import Any

import pytest

from distillc.compiler.front import Compiled
from distillc.spec.errors import InvalidSpec

SPEC = """\
distill: 1
name: tiny
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data: {prose: {uses: docstrings, packages: [numpy], split: {validation: 5, test: 5}}}
generate: {pairs: {from: prose, limit: 20, steps: [{uses: corrupt, errors: common}]}}
models: {big: {uses: random, layers: 2}, small: {uses: prune, from: big, layers: 1}, cut: {uses: prune, from: small, layers: 1}}
train:
  student: {model: small, data: pairs, losses: {hard: cross_entropy}}
evaluate:
  test:
    data: pairs.train
    models: [student]
    metrics: [exact_match]
"""
"""It tests on what it trains on: D350, which is certain."""

VALIDATED = SPEC.replace("pairs.train", "pairs.test").replace("data: pairs,", "data: pairs, validation: pairs.train,")
"""D351, a judgement."""

RAISED = "lint: {levels: {validation-meets-training: error}}\n"

Compile = Callable[..., Compiled]


def levels(findings: Any) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity.value) for finding in findings if finding.code in ("D350", "D553", "D351")]


def refused(compiled: Compile, text: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidSpec) as caught:
        compiled(text)
    return levels(caught.value.diagnostics)


def test_an_error_stops_the_plan(compiled: Compile) -> None:
    assert refused(compiled, SPEC) == [("D350", "error")]


def test_a_warning_that_is_raised_stops_the_plan(compiled: Compile) -> None:
    assert levels(compiled(VALIDATED).warnings) == [("D351", "warning")]
    assert refused(compiled, VALIDATED + RAISED) == [("D351", "error")]
    assert refused(compiled, VALIDATED + RAISED.replace("levels", "ignore: [D4], levels")) == [("D351", "error")]


def test_a_comment_and_the_lint_section_ignore_a_finding_of_the_compiler(compiled: Compile) -> None:
    ignored = VALIDATED.replace("losses: {hard: cross_entropy}}", "losses: {hard: cross_entropy}} # distillc: ignore[D351] a smoke test")
    assert levels(compiled(ignored + RAISED).warnings) == []
    assert levels(compiled(VALIDATED + "lint: {ignore: [D35]}\n").warnings) == []
    assert levels(compiled(VALIDATED + "lint: {select: [D4]}\n").warnings) == []


def test_what_breaks_the_run_for_certain_is_shown_whatever_is_said_of_it(compiled: Compile) -> None:
    text = SPEC.replace("pairs.train", "pairs.test").replace("from: small, layers: 1", "from: small, layers: 2")
    assert refused(compiled, text + "lint: {ignore: [D5], levels: {D553: off}}\n") == [("D553", "error")]
    assert refused(compiled, SPEC + "lint: {ignore: [D35], levels: {D350: warning}}\n") == [("D350", "error")]
