"""A panel of teachers in a plan: each model has a stage that asks it, whose key hangs on nothing else; one more stage chooses."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.front import compile_file
from distillc.compiler.plan import Plan, Stage
from distillc.plugins.registry import load
from distillc.runtimes.contracts import contract_of
from distillc.runtimes.report.probe import job_rows
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
def planned(shared: Any, tmp_path: Path) -> Callable[..., Plan]:
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n', encoding="utf-8")

    def made(step: str, mode: str = "sync") -> Plan:
        (tmp_path / "distill.yaml").write_text(SPEC.format(step=step, mode=mode), encoding="utf-8")
        return compile_file(tmp_path / "distill.yaml", shared).plan

    return made


def asked(plan: Plan) -> dict[str, Stage]:
    """The stages that ask, by their model."""
    return {stage.id.removeprefix("answers/answer/"): stage for stage in plan if stage.id.startswith("answers/answer/")}


def test_each_model_is_asked_by_a_stage_of_its_own_and_another_chooses(planned: Callable[..., Plan]) -> None:
    plan = planned(AGREED)
    assert {name: stage.inputs["model"].stage for name, stage in asked(plan).items()} == {"other": "other", "big": "big"}
    assert {name: stage.config["engine"]["mode"] for name, stage in asked(plan).items()} == {"other": "batch", "big": "sync"}
    choice = plan.stage("answers")
    assert {port: entry.stage for port, entry in choice.inputs.items()} == {
        "rows": "prose", "model.0": "other", "answers.0": "answers/answer/other", "model.1": "big", "answers.1": "answers/answer/big",
    }  # fmt: skip
    assert {plan.origins[stage.id] for stage in (choice, *asked(plan).values())} == {"answers"}


def test_what_is_asked_hangs_on_nothing_that_is_chosen_by(planned: Callable[..., Plan]) -> None:
    keys = {name: stage.key for name, stage in asked(planned(AGREED)).items()}
    for step in (
        "model: [big, other], keep: agreement, agree: 2, truncated: keep",
        "model: [big, here, other], keep: all, reasoning: keep",
        "model: [big, other], keep: best, judge: harper",
    ):
        found = asked(planned(step))
        assert {name: found[name].key for name in keys} == keys
    assert asked(planned(AGREED + ", top_logprobs: 5"))["big"].key != keys["big"], "that is another question"


def test_the_judge_and_its_versions_are_in_the_key(planned: Callable[..., Plan]) -> None:
    stage = planned("model: [big, here], keep: best, judge: harper").stage("answers")
    assert stage.config["judge"] == {"uses": "harper", "dialect": "american"}
    assert {"judges.harper", "harper-py"} <= stage.config["versions"].keys()
    british = planned("model: [big, here], keep: best, judge: {uses: harper, dialect: british}").stage("answers")
    others = (planned(f"model: [big, here], keep: {keep}").stage("answers").key for keep in ("agreement", "all"))
    assert len({stage.key, british.key, *others}) == 4
    first, last = planned(AGREED).stage("answers"), planned("model: [big, other], keep: agreement").stage("answers")
    assert first.key != last.key, "the first has the last word"


def test_a_panel_costs_what_its_models_cost(planned: Callable[..., Plan]) -> None:
    """One row of 64 tokens; two dollars a million and four, of which the batch takes half; what is here costs nothing.

    A prompt of 9 bytes and a text of one are 2.5 tokens and a message 4 more: 7, at a dollar a million and half of that.
    """
    usd = {"big": Decimal(7 + 2 * 64), "other": Decimal(7 + 4 * 64) / 2}
    plan = planned("model: [big, here, other], keep: all")
    for name, stage in asked(plan).items():
        both = stage.estimate
        assert (both.rows, both.tokens) == (1, 64)
        if name in usd:
            assert (both.prompt_tokens, Decimal(both.usd or "") * 10**6) == (7, usd[name])
    choice = plan.stage("answers").estimate
    assert (choice.rows, choice.tokens, choice.usd) == (3, None, None)


@pytest.mark.parametrize(
    ("mode", "contracts"), [("batch", {"big": Contract.JOB, "here": Contract.MAP}), ("sync", {"big": Contract.MAP, "here": Contract.MAP})]
)
def test_who_answers_in_batches_is_a_job_whoever_else_is_asked(
    planned: Callable[..., Plan], mode: str, contracts: dict[str, Contract]
) -> None:
    plan, plugins = planned("model: [big, here], keep: all", mode), load()
    assert {name: contract_of(stage, plugins) for name, stage in asked(plan).items()} == contracts
    assert contract_of(plan.stage("answers"), plugins) is Contract.MAP


@pytest.mark.parametrize("step", ["model: [big, here, other], keep: all", AGREED, "model: big"])
def test_a_probe_takes_the_job_to_be_what_one_model_is_asked(planned: Callable[..., Plan], step: str) -> None:
    assert job_rows(planned(step), load()) == (1, ["answers"])
