"""A model behind an API in a plan: what is in its key and what is not, who gets the key and the price, and what it is not asked for."""

from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.front import compile_file
from distillc.compiler.plan import Plan
from distillc.spec.errors import InvalidSpec

SPEC = """\
distill: 1
name: api
task: {kind: generate, input: text, target: fixed, prompt: "Correct: {{ text }}"}
data: {prose: {uses: jsonl, path: rows.jsonl, split: {validation: 1, test: 1}}}
models:
  big: {uses: openai, name: "Q/big", base_url: "https://api.example/v1", api_key: "${env:ONE}", price: {input: 0.2, output: 0.6}}
  base: {uses: random}
generate: {answers: {from: prose.train, steps: [{uses: answer, model: big}]}}
train: {student: {model: base, data: answers, losses: {hard: cross_entropy}, steps: 10}}
evaluate: {test: {data: prose.test, models: [big, student, base], metrics: [exact_match]}}
"""


@pytest.fixture
def plan(shared: Any, tmp_path: Path) -> Any:
    (tmp_path / "rows.jsonl").write_text("".join(f'{{"text": "a {i}", "fixed": "b {i}"}}\n' for i in range(9)), encoding="utf-8")

    def made(*overrides: str, more: str = "") -> Plan:
        (tmp_path / "distill.yaml").write_text(SPEC + more, encoding="utf-8")
        return compile_file(tmp_path / "distill.yaml", shared, overrides=list(overrides)).plan

    return made


def keys(plan: Plan) -> dict[str, str]:
    return {stage.id: stage.key for stage in plan}


def engine(plan: Plan, stage: str = "answers") -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in plan if one.id == stage).config["engine"]
    return found


def test_the_engine_gets_the_key_and_the_price_of_the_model(plan: Any) -> None:
    for stage in ("answers", "test/big/prose"):
        found = engine(plan(), stage)
        assert (found["uses"], found["api_key"]) == ("http", "${env:ONE}")
        assert (found["price"]["input"], found["price"]["output"], found["retention"]) == (0.2, 0.6, "any")


def test_what_the_engine_says_itself_counts_before_the_model(plan: Any) -> None:
    found = engine(plan("models.big.engine={uses: http, concurrency: 3, api_key: '${env:TWO}'}"))
    assert (found["concurrency"], found["api_key"], found["price"]["input"]) == (3, "${env:TWO}", 0.2)


def test_privacy_counts_before_the_engine(plan: Any) -> None:
    private = plan("models.big.engine={uses: http, retention: any}", more="privacy: {retention: none}\n")
    assert engine(private)["retention"] == "none"


@pytest.mark.parametrize(
    "override",
    [
        "models.big.api_key=${env:TWO}",
        "models.big.price={input: 1, output: 2, date: 2026-11-01}",
        "models.big.engine={uses: http, concurrency: 3, timeout: 9, retries: 1}",
        "models.big.engine={uses: http, retention: none}",
    ],
)
def test_what_changes_no_answer_changes_no_key(plan: Any, override: str) -> None:
    before, after = keys(plan()), keys(plan(override))
    assert [stage for stage in before if before[stage] != after[stage]] == ["test/report"], "the report says what was set"


@pytest.mark.parametrize(
    "override", ["models.big.name=Q/other", "models.big.base_url=https://else.example/v1", "models.big.system=Be brief."]
)
def test_another_model_or_place_is_another_answer(plan: Any, override: str) -> None:
    before, after = keys(plan()), keys(plan(override))
    assert {stage for stage in before if before[stage] != after[stage]} >= {"big", "answers", "student", "test/big/prose"}


def test_the_model_keeps_its_name_in_the_spec_beside_the_one_that_the_api_has(plan: Any) -> None:
    built = next(stage for stage in plan() if stage.id == "big")
    assert (built.config["called"], built.config["name"]) == ("big", "Q/big")


def test_its_speed_is_not_measured_for_it_does_not_run_here(plan: Any) -> None:
    measured = next(stage for stage in plan() if stage.kind == "measure")
    assert {name for port, name in ((port, entry.stage) for port, entry in measured.inputs.items()) if port.startswith("model")} == {
        "student",
        "base",
    }


@pytest.mark.parametrize(
    ("override", "code"),
    [
        ("train.student.losses={soft: {uses: forward_kl, teacher: big}}", "D450"),
        ("train.student.model=big", "D552"),
        ("models.base={uses: prune, from: big, layers: 1}", "D552"),
        ("models.big.api_key=sk-0123456789012345678901234", "D205"),
        ("models.big.base_url=api.example", "D106"),
        ("models.big.engine=transformers", "D551"),
    ],
)
def test_what_an_api_cannot_do_is_said_before_anything_runs(plan: Any, override: str, code: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        plan(override)
    assert code in {finding.code for finding in refused.value.diagnostics}


TUNED = """\
distill: 1
name: tuned
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data: {prose: {uses: jsonl, path: rows.jsonl}}
models: {open: {uses: nebius, name: Q/small}}
train: {student: {model: open, data: prose, trainer: nebius.fine_tuning, lora: {}, losses: {hard: cross_entropy}, %s}}
"""


def test_what_a_spec_does_not_say_is_the_trainers_own_where_it_has_one(shared: Any, tmp_path: Path) -> None:
    """Nebius' defaults are for tuning what is trained already (seed reference, 3.4); the language's are for training from scratch."""
    (tmp_path / "rows.jsonl").write_text('{"text": "a", "fixed": "b"}\n', encoding="utf-8")

    def student(keys: str) -> Any:
        (tmp_path / "distill.yaml").write_text(TUNED % keys, encoding="utf-8")
        return next(stage for stage in compile_file(tmp_path / "distill.yaml", shared).plan if stage.id == "student")

    own = student("epochs: 3")
    assert {key: own.config[key] for key in ("learning_rate", "warmup", "weight_decay", "max_grad_norm", "batch")} == {
        "learning_rate": 1e-5, "warmup": 0, "weight_decay": 0, "max_grad_norm": 1, "batch": 16,
    }  # fmt: skip
    assert student("learning_rate: 1.0e-5, warmup: 0, weight_decay: 0").key == own.key
    assert student("learning_rate: 5.0e-4").config["learning_rate"] == 5e-4
