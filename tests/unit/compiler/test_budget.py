"""What a budget and a price become in a plan: limits that a driver can count with, and what answers may cost."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.compile import seconds_of
from distillc.compiler.plan import from_json, to_json
from distillc.compiler.show import tree

SPEC = """\
distill: 1
name: paid
task: {{kind: generate, input: text, target: fixed, prompt: "{{{{ text }}}}"}}
decoding: {{max_tokens: 64}}
data: {{prose: {{uses: docstrings, packages: [numpy], limit: 500}}}}
generate: {{answers: {{from: prose, limit: 300, steps: [{{uses: answer, model: big}}]}}}}
models:
  big: {{uses: nebius, name: Qwen/Qwen3-235B-A22B, family: qwen3, license: Apache-2.0{more}}}
{budget}
"""


def spec(more: str = "", budget: str = "") -> str:
    return SPEC.format(more=more, budget=budget)


@pytest.mark.parametrize(("text", "seconds"), [("4h", 14400.0), ("1h30m", 5400.0), ("1.5d", 129600.0), ("90s", 90.0)])
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


def test_a_budget_is_in_the_plan_and_in_no_key(compiled: Any) -> None:
    without = compiled(spec()).plan
    plan = compiled(spec(budget="budget: {usd: 0.1, wall: 1h30m, tokens: 1000, calls: 7}")).plan
    assert plan.budget == {"usd": "0.1", "wall": 5400.0, "tokens": 1000, "calls": 7}
    assert without.budget == {}
    assert [stage.key for stage in plan] == [stage.key for stage in without]
    assert from_json(to_json(plan)).budget == plan.budget


def test_the_list_says_a_price_that_nobody_says(compiled: Any) -> None:
    def price(more: str) -> tuple[Any, ...]:
        found = compiled(spec(more)).plan.stage("answers").config["engine"]["price"]
        return found["input"], found["output"], found["date"]

    assert price("") == (0.2, 0.6, "2025-07-24")
    assert price(", price: {input: 1, output: 2}") == (1.0, 2.0, None)
    assert price(", engine: {uses: http, price: {input: 3, output: 4}}") == (3.0, 4.0, None)


# 300 rows of at most 64 tokens are 19,200, at $0.6 a million $0.01152. Nobody knows how long the inputs are: of each prompt the 4 tokens
# around a message are left, 1,200 in all, at $0.2 a million $0.00024.
ANSWERS = Decimal("0.01152") + Decimal("0.00024")


def test_answers_in_batches_cost_half(compiled: Any) -> None:
    for more in (", mode: batch", ", mode: sync, engine: {uses: http, mode: batch}"):
        assert Decimal(compiled(spec(more)).plan.stage("answers").estimate.usd) == ANSWERS / 2


def test_what_answers_cost_is_about_what_is_known(compiled: Any) -> None:
    plan = compiled(spec()).plan
    assert Decimal(plan.stage("answers").estimate.usd) == ANSWERS
    assert from_json(to_json(plan)).stages == plan.stages
    shown = tree.render(plan)
    assert "≤ 19,200 tokens · about 1,200 tokens of prompts without inputs · about $0.0118" in shown
    assert shown.endswith("what is paid for costs about $0.0118 without inputs, answers as long as they may be\n")


TUNED = """\
distill: 1
name: tuned
task: {{kind: generate, input: text, target: fixed, prompt: "Correct: {{{{ text }}}}"}}
decoding: {{max_tokens: 50}}
data: {{pairs: {{uses: jsonl, path: rows.jsonl, split: {{validation: 20, test: 40}}}}}}
models:
  open: {{uses: nebius, name: Qwen/Qwen3-4B, system: Be brief, price: {{input: 1, output: 2, trained: 0.4}}}}
train:
  student:
    {{model: open, data: pairs, epochs: 10, batch: 16, lora: {{r: 16}}, trainer: nebius.fine_tuning, losses: {{hard: cross_entropy}}}}
evaluate: {{test: {{data: pairs.test, models: [open], metrics: [exact_match]}}}}
budget: {{usd: {usd}}}
"""


@pytest.fixture
def tuned(compiled: Any, tmp_path: Path) -> Any:
    """Of 160 rows 100 are trained on, whose texts have 31 bytes and whose targets 40, and 40 are asked."""
    (tmp_path / "rows.jsonl").write_text(f'{{"text": "{"a" * 31}", "fixed": "{"b" * 40}"}}\n' * 160, encoding="utf-8")
    return lambda usd: compiled(TUNED.format(usd=usd))


# A prompt has 8 + 9 + 31 bytes in two messages, that is 12 + 8 tokens; a target has 10, and 4 around it.
TRAINED = 100 * (20 + 14) * 10
EVALUATED = 40 * 20 + 40 * 50 * 2


def test_a_training_elsewhere_costs_its_tokens_in_each_epoch(tuned: Any) -> None:
    plan = tuned(1).plan
    student, answers = plan.stage("student").estimate, plan.stage("test/open/pairs").estimate
    assert (student.trained_tokens, Decimal(student.usd)) == (TRAINED, TRAINED * Decimal("0.4") / 10**6)
    assert (student.uncounted, student.models["student"]["usd"]) == (None, student.usd)
    assert Decimal(answers.usd) == Decimal(EVALUATED) / 10**6
    assert "about 34,000 trained tokens · about $0.0136" in tree.render(plan)


@pytest.mark.parametrize(
    ("usd", "message"),
    [
        ("0.0184", None),  # 0.0136 + 0.0048
        ("0.0183", "`student`, `test` may cost about $0.0184, and `budget.usd` is $0.0183: the run may stop before its end"),
        ("0.0008", "`student`, `test` may cost about $0.0184, and `budget.usd` is $0.0008: the run may stop before its end"),
        ("0.0007", "the prompts of `test` alone cost about $0.000800, and `budget.usd` is $0.0007: the run stops before its end"),
    ],
)
def test_a_plan_counts_files_evaluations_and_trainings_against_the_budget(tuned: Any, usd: str, message: str | None) -> None:
    found = [finding.message for finding in tuned(usd).warnings if finding.code == "D853"]
    assert [one[: len(message or "")] for one in found] == ([] if message is None else [message])
