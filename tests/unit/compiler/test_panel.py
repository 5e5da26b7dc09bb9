"""A panel of teachers in a plan: its models are inputs each, its judge is in the key, and it costs what all of them cost."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.front import compile_file
from distillc.compiler.plan import Stage
from distillc.plugins.registry import load
from distillc.runtimes.contracts import contract_of
from distillc.runtimes.work import Contract

SPEC = """\
distill: 1
name: panel
task: {{kind: generate, input: text, target: fixed, prompt: "Correct: {{{{ text }}}}"}}
decoding: {{max_tokens: 64}}
data: {{prose: {{uses: jsonl, path: rows.jsonl}}}}
models:
  big: {{uses: openai, name: a, base_url: "http://127.0.0.1:1/v1", price: {{input: 1, output: 2}}, mode: {mode}}}
  other: {{uses: openai, name: b, base_url: "http://127.0.0.1:1/v1", price: {{input: 1, output: 4}}, mode: batch}}
  here: identity
generate: {{answers: {{from: prose, limit: 100, steps: [{{uses: answer, {step}}}]}}}}
"""
AGREED = "model: [other, big], keep: agreement"


@pytest.fixture
def answers(shared: Any, tmp_path: Path) -> Callable[..., Stage]:
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n', encoding="utf-8")

    def made(step: str, mode: str = "sync") -> Stage:
        (tmp_path / "distill.yaml").write_text(SPEC.format(step=step, mode=mode), encoding="utf-8")
        return compile_file(tmp_path / "distill.yaml", shared).plan.stage("answers")

    return made


def test_each_model_is_an_input_and_has_an_engine(answers: Callable[..., Stage]) -> None:
    stage = answers(AGREED)
    assert {port: entry.stage for port, entry in stage.inputs.items()} == {"rows": "prose", "model.0": "other", "model.1": "big"}
    assert {port: engine["mode"] for port, engine in stage.config["engines"].items()} == {"model.0": "batch", "model.1": "sync"}


def test_the_judge_and_its_versions_are_in_the_key(answers: Callable[..., Stage]) -> None:
    stage = answers("model: [big, here], keep: best, judge: harper")
    assert stage.config["judge"] == {"uses": "harper", "dialect": "american"}
    assert {"judges.harper", "harper-py", "engines.http", "engines.identity"} <= stage.config["versions"].keys()
    british = answers("model: [big, here], keep: best, judge: {uses: harper, dialect: british}")
    keys = {stage.key, british.key, *(answers(f"model: [big, here], keep: {keep}").key for keep in ("agreement", "all"))}
    assert len(keys) == 4
    assert answers(AGREED).key != answers("model: [big, other], keep: agreement").key, "the first has the last word"


def test_a_panel_costs_what_its_models_cost(answers: Callable[..., Stage]) -> None:
    """One row of 64 tokens; two dollars a million and four, of which the batch takes half; what is here costs nothing.

    A prompt of 9 bytes and a text of one are 2.5 tokens and a message 4 more: 7, at a dollar a million and half of that.
    """
    both = answers(AGREED).estimate
    usd = {"big": Decimal(7 + 2 * 64), "other": Decimal(7 + 4 * 64) / 2}
    assert (both.rows, both.tokens, both.prompt_tokens, both.uncounted) == (1, 2 * 64, 2 * 7, None)
    assert (Decimal(both.usd or ""), Decimal(both.prompts_usd or "")) == (sum(usd.values()) / 10**6, Decimal("10.5") / 10**6)
    assert {name: Decimal(part["usd"]) * 10**6 for name, part in both.models.items()} == usd
    every = answers("model: [big, here, other], keep: all").estimate
    assert (every.rows, every.tokens, every.usd) == (3, 3 * 64, both.usd)
    assert every.models["here"] == {"rows": 1, "tokens": 64}


@pytest.mark.parametrize(
    ("step", "mode", "contract"),
    [
        (AGREED, "batch", Contract.JOB),
        (AGREED, "sync", Contract.JOB),  # what is asked at once is asked in the process that waits
        ("model: [big, here], keep: all", "sync", Contract.MAP),
        ("model: [other, here], keep: all", "sync", Contract.MAP),  # a model here takes the machine: no job
    ],
)
def test_a_panel_is_a_job_where_all_is_elsewhere_and_one_answers_in_batches(
    answers: Callable[..., Stage], step: str, mode: str, contract: Contract
) -> None:
    assert contract_of(answers(step, mode), load()) is contract
