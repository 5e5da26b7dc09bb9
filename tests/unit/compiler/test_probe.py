"""What a probe takes where nothing is said, and what it refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.probe import Probe, compile_probe
from distillc.runtimes.report.probe import job_rows
from distillc.spec.errors import InvalidSpec, UsageError

SPEC = """\
distill: 1
name: tiny
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data:
  prose: {uses: docstrings, packages: [numpy], split: {validation: 60, test: 60}}
generate:
  learner: {from: prose, skip: 20, steps: [{uses: corrupt, gold: drop}]}
  pairs: {from: prose, limit: 20, steps: [{uses: corrupt, errors: common}]}
  unseen: {from: prose.test, steps: [{uses: corrupt, errors: held_out}]}
  answers: {from: learner, steps: [{uses: answer, model: big, decoding: {max_tokens: 512}}]}
models:
  big: {uses: nebius, name: Qwen/Qwen3-235B-A22B, family: qwen3, license: Apache-2.0, mode: batch}
  local: {uses: random, layers: 2}
  small: {uses: prune, from: local, layers: 1}
  as_is: identity
train:
  student: {model: small, data: pairs, validation: pairs.validation, early_stopping: {metric: gleu}, losses: {hard: cross_entropy}}
evaluate:
  test: {data: pairs, models: [as_is, student], metrics: [exact_match, gleu], judges: {lints: harper},
         gates: {better: {model: student, metric: exact_match, against: as_is}}}
"""
GATES = ",\n         gates: {better: {model: student, metric: exact_match, against: as_is}}}"
STOPPING = ", early_stopping: {metric: gleu}"

Probing = Callable[..., Probe]


@pytest.fixture
def probed(tmp_path: Path, shared: Any) -> Probing:
    """`probed(old, new, …, models=…)`: of SPEC with texts replaced."""

    def run(*changes: str, **options: Any) -> Probe:
        text = SPEC
        for old, new in zip(changes[::2], changes[1::2], strict=True):
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "distill.yaml"
        path.write_text(text, encoding="utf-8")
        return compile_probe(path, shared, **{"limit": 50, **options})

    return run


def test_all_that_can_answer_and_is_cut_from_no_other_is_asked(probed: Probing) -> None:
    assert probed().models == ("big", "local", "as_is")
    assert probed(models=["small", "big", "small"]).models == ("small", "big")


def test_the_first_gate_says_what_decides_then_early_stopping_then_the_first_metric(probed: Probing) -> None:
    assert (probed().by, probed(GATES, "}").by, probed(GATES, "}", STOPPING, "").by) == ("exact_match", "gleu", "exact_match")
    with pytest.raises(UsageError, match="names no metric") as raised:
        probed(SPEC[SPEC.index("evaluate:") :], "", STOPPING, "")
    assert "--by errant_f0.5" in (raised.value.help or "")


def test_a_judge_or_a_metric_that_the_spec_has_not_may_decide(probed: Probing) -> None:
    by_judge = probed(by="lints", models=["as_is"])
    assert (by_judge.source, by_judge.plan.stage("probe/lints").kind) == ("probe/lints", "judge")
    assert (by_judge.higher, probed(by="errant_recall").higher) == (False, True)
    with pytest.raises(UsageError, match="no metric `exact_mach`") as raised:
        probed(by="exact_mach")
    assert raised.value.help == "did you mean `exact_match`?"


def test_the_rows_are_those_that_a_training_stops_by_else_the_first_with_gold(probed: Probing) -> None:
    """`prose` has no targets, `learner` lost them, those of `answers` are a model's: `pairs` has gold."""
    assert probed().data == "pairs.validation"
    assert probed(" validation: pairs.validation," + STOPPING[1:] + ",", "", GATES, "}").data == "pairs.validation"
    assert probed(data="learner", by="lints", models=["as_is"]).data == "learner.validation"


def test_whose_answers_are_taken_for_gold_is_said(probed: Probing) -> None:
    """`big` would be right in all of them."""
    assert "on answers.validation, whose targets are answers of `big`" in probed(data="answers", models=["as_is", "big"]).notes
    assert "on pairs.validation" in probed(data="pairs", models=["as_is"]).notes


@pytest.mark.parametrize("data", ["pairs.test", "unseen", "unseen.test"])
def test_test_rows_are_refused(probed: Probing, data: str) -> None:
    with pytest.raises(UsageError, match=f"`{data}` are test rows") as raised:
        probed(data=data)
    assert "D613" in (raised.value.help or "")


def test_names_that_are_not_there_are_refused_with_the_nearest(probed: Probing) -> None:
    for options, message, help in (
        ({"models": ["bgi"]}, "`models:` has no `bgi`", "did you mean `big`?"),
        ({"data": "pair.validation"}, "there are no rows `pair`", "did you mean `pairs`?"),
        ({"data": "pairs.validaton"}, "there is no split `validaton`", "did you mean `validation`?"),
    ):
        with pytest.raises(UsageError, match=message) as raised:
            probed(**options)
        assert raised.value.help == help
    with pytest.raises(UsageError, match="`student` is made by this spec"):
        probed(models=["student"])


def test_a_teacher_is_seen_as_it_will_teach_but_at_once(probed: Probing) -> None:
    probe = probed(models=["big"])
    answers = probe.plan.stage("probe/big/pairs")
    assert answers.config["decoding"]["max_tokens"] == 512
    assert (answers.config["engine"]["mode"] or "sync", probe.batch) == ("sync", ("big",))
    assert (answers.config["limit"], answers.estimate.rows, answers.inputs["rows"].split) == (50, 50, "validation")


def test_nothing_of_the_spec_gets_another_key(probed: Probing, compiled: Any) -> None:
    keys = {stage.id: stage.key for stage in probed().plan}
    own = {stage.id: stage.key for stage in compiled(SPEC).plan if not stage.id.endswith("/report")}
    assert {id: keys[id] for id in own} == own


def test_where_money_is_limited_only_what_is_asked_needs_a_price(probed: Probing, compiled: Any) -> None:
    """`dear`, which is not on the list, teaches in the spec, and is fine-tuned there: D851 of a run, and of a probe that asks it."""
    unpriced = (
        "models:\n", 'budget: {usd: 1}\nmodels:\n  dear: {uses: openai, name: dear-1, family: gpt, license: Apache-2.0}\n',
        "model: big", "model: dear",
        "train:\n", "train:\n  tuned: {model: dear, data: pairs, trainer: openai.fine_tuning, losses: {hard: cross_entropy}}\n",
    )  # fmt: skip
    assert probed(*unpriced, models=["big"]).plan.budget == {"usd": "1.0"}
    with pytest.raises(InvalidSpec) as raised:
        probed(*unpriced, models=["big", "dear"])
    assert "D851" in {finding.code for finding in raised.value.diagnostics}


@pytest.mark.parametrize("model", ["big", "[big, other], keep: agreement", "[big, other], keep: all"])
def test_the_rows_of_the_job_count_once_for_a_whole_panel(probed: Probing, shared: Any, tmp_path: Path, model: str) -> None:
    """7 rows in a file, answered by `answers`, all of them for training."""
    (tmp_path / "seven.jsonl").write_text('{"text": "a"}\n' * 7, encoding="utf-8")
    probe = probed(
        "data:\n", "data:\n  seven: {uses: jsonl, path: seven.jsonl}\n",
        "from: learner, steps: [{uses: answer, model: big,", f"from: seven, steps: [{{uses: answer, model: {model},",
        "models:\n", "models:\n  other: {uses: openai, name: o, family: gpt, license: Apache-2.0}\n",
        models=["as_is"],
    )  # fmt: skip
    assert job_rows(probe.plan, shared) == (7, ["answers"])


def test_a_matrix_is_left_aside_and_a_name_that_is_taken_is_left_alone(probed: Probing) -> None:
    probe = probed(
        "models:\n", "matrix: {vary: {decoding.max_tokens: [16, 32]}}\nmodels:\n", "  local:", "  probe:", "from: local", "from: probe"
    )
    assert probe.step == "probe_2"
    assert [stage.id for stage in probe.plan if stage.kind == "evaluate"] == ["test", "probe_2"]
