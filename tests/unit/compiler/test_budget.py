"""What a budget and a price become in a plan: limits that a driver can count with, and what answers may cost."""

from decimal import Decimal
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


def test_answers_in_batches_cost_half(compiled: Any) -> None:
    for more in (", mode: batch", ", mode: sync, engine: {uses: http, mode: batch}"):
        assert Decimal(compiled(spec(more)).plan.stage("answers").estimate.usd) == Decimal("0.00576")


def test_answers_cost_rows_times_tokens_times_price(compiled: Any) -> None:
    """300 rows of at most 64 tokens are 19,200; at $0.6 per million $0.01152."""
    plan = compiled(spec()).plan
    assert Decimal(plan.stage("answers").estimate.usd) == Decimal("0.01152")
    shown = tree.render(plan)
    assert "≤ $0.01152 for answers" in shown
    assert shown.endswith("their answers cost at most $0.01152, and prompts come on top\n")
