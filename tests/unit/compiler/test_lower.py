"""The grammar spec of the design becomes the stages and edges that the lowering table asks for. Worked out by hand."""

import sys
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.front import compile_file
from distillc.compiler.plan import Plan, from_json, to_json
from distillc.plugins.api.manifest import Kind, Manifest
from distillc.runtimes.driver import select
from distillc.spec.errors import InvalidSpec
from distillc.spec.fields import Config

SPEC = Path(__file__).parent / "grammar.yaml"
MODELS = ["as_is", "rules", "smollm2", "teacher", "small", "gold", "refined", "q8", "int4"]
WEIGHTS = MODELS[2:]
TRAINED = ["teacher", "student", "refined", "gold"]


@pytest.fixture(scope="module")
def plan(shared: Any) -> Plan:
    return compile_file(SPEC, shared).plan


def edges(plan: Plan, stage: str) -> dict[str, str]:
    return {port: f"{e.stage}.{e.split}" if e.split else e.stage for port, e in plan.stage(stage).inputs.items()}


def test_the_design_becomes_these_stages(plan: Plan) -> None:
    answers = {f"test/{model}/{data}" for model in MODELS for data in ("seen", "unseen")}
    assert {stage.id for stage in plan} == answers | {
        "prose/ingest", "prose", "pairs", "learner", "answers", "unseen", "clean/dedup", "clean/length", "clean",
        "smollm2", "small", "as_is", "rules", "teacher", "student/capture", "student", "refined", "gold",
        "q8", "q8/parity", "int4", "int4/parity", "test", "test/lints", "test/measure", "better", "close", "test/report", "edge",
        *(f"{step}/overlap" for step in TRAINED),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stage", "kind", "uses", "inputs"),
    [
        ("prose/ingest", "ingest", "docstrings", {}),
        ("prose", "split", None, {"rows": "prose/ingest"}),
        ("pairs", "generate", "corrupt", {"rows": "prose"}),
        ("unseen", "generate", "corrupt", {"rows": "prose.test"}),
        ("answers", "generate", "answer", {"rows": "learner", "model": "teacher"}),
        ("clean/dedup", "curate", "dedup", {"rows": "answers"}),
        ("clean/length", "curate", "length", {"rows": "clean/dedup"}),
        ("clean", "curate", "decontaminate", {"rows": "clean/length", "against.0": "pairs.test", "against.1": "unseen"}),
        ("small", "build-model", "prune", {"model": "teacher"}),
        ("teacher", "train", "local", {"model": "smollm2", "rows": "pairs.train"}),
        ("student/capture", "capture", None, {"rows": "clean.train", "model": "teacher"}),
        (
            "student", "train", "local",
            {"model": "small", "rows": "clean.train", "validation": "pairs.validation", "signals.soft": "student/capture"},
        ),
        ("student/overlap", "overlap", None, {"rows": "clean.train", "test.seen": "pairs.test", "test.unseen": "unseen.test"}),
        ("refined", "train", "local", {"model": "student", "rows": "pairs.train"}),
        ("q8", "quantize", "gguf", {"model": "refined"}),
        ("q8/parity", "parity", None, {"export": "q8", "model": "refined", "rows": "pairs.test"}),
        ("test/gold/seen", "generate", "answer", {"rows": "pairs.test", "model": "gold"}),
        ("test/q8/unseen", "generate", "answer", {"rows": "unseen.test", "model": "q8", "parity": "q8/parity"}),
        ("better", "gate", None, {"evaluation": "test"}),
    ],
)  # fmt: skip
def test_a_stage_reads(plan: Plan, stage: str, kind: str, uses: str | None, inputs: dict[str, str]) -> None:
    found = plan.stage(stage)
    assert (found.kind, found.uses, edges(plan, stage)) == (kind, uses, inputs)


def test_an_evaluation_reads_every_answer_and_measures_what_has_weights(plan: Plan) -> None:
    answers = {f"answers.{model}.{data}": f"test/{model}/{data}" for model in MODELS for data in ("seen", "unseen")}
    assert edges(plan, "test") == answers | {f"overlap.{step}": f"{step}/overlap" for step in TRAINED}
    assert edges(plan, "test/lints") == answers
    models = {f"model.{name}": name for name in WEIGHTS}
    assert edges(plan, "test/measure") == {**models, "parity.q8": "q8/parity", "parity.int4": "int4/parity", "rows": "pairs.test"}


def test_the_report_and_the_bundle_hang_on_their_proof(plan: Plan) -> None:
    report, bundle = edges(plan, "test/report"), edges(plan, "edge")
    proof = {"evaluation": "test", "measure": "test/measure", "judge.lints": "test/lints", "gate.better": "better", "gate.close": "close"}
    histories = {f"history.{name}": name for name in ("teacher", "student", "refined", "gold")}
    assert report.items() >= (proof | histories).items()
    exports = {"model.q8": "q8", "model.int4": "int4", "parity.q8": "q8/parity", "parity.int4": "int4/parity"}
    assert bundle.items() >= (exports | {"gate.better": "better", "report": "test/report", "data.prose": "prose/ingest"}).items()


def test_roles_are_those_of_the_design(plan: Plan) -> None:
    assert plan.stage("test/report").config["roles"] == {
        "as_is": "reference", "rules": "reference", "smollm2": "reference", "teacher": "teacher", "small": "base",
        "gold": "reference", "refined": "student", "q8": "student", "int4": "student",
    }  # fmt: skip


def test_engines_are_those_that_read_the_format(plan: Plan) -> None:
    engines = {name: plan.stage(f"test/{name}/seen").config["engine"]["uses"] for name in MODELS}
    assert engines == {
        "as_is": "identity", "rules": "harper", "q8": "llama_cpp", "int4": "onnx_genai",
        **dict.fromkeys(["smollm2", "teacher", "small", "gold", "refined"], "transformers"),
    }  # fmt: skip


def test_defaults_are_written_out(plan: Plan) -> None:
    teacher = plan.stage("teacher").config
    assert (teacher["epochs"], teacher["batch"], teacher["warmup"], teacher["steps"]) == (3.0, 16, 0.05, None)
    assert teacher["losses"]["hard"]["weight"] == 1.0
    assert plan.stage("student/capture").config["temperatures"] == [1.0, 1.5, 2.0, 4.0]
    stopping = plan.stage("student").config["early_stopping"]
    assert (stopping["uses"], stopping["value"], stopping["higher_is_better"], stopping["patience"]) == ("errant", "f0.5", True, 2)
    gate = plan.stage("close").config
    assert [claim["name"] for claim in gate["family"]] == ["better", "close"]
    assert (gate["uses"], gate["value"], gate["margin"], gate["level"], gate["data"]) == ("errant", "f0.5", 0.05, "warn", "seen")


def test_stages_stand_after_what_they_read(plan: Plan) -> None:
    seen: set[str] = set()
    for stage in plan:
        assert {entry.stage for entry in stage.inputs.values()} <= seen
        seen.add(stage.id)


def test_every_stage_says_from_which_step_and_line_it_comes(plan: Plan) -> None:
    assert plan.origins["test/q8/seen"] == "test"
    assert plan.origins["student/capture"] == "student"
    text = SPEC.read_text().splitlines()
    assert plan.stage("refined").line == next(n for n, line in enumerate(text, 1) if line.startswith("  refined:"))


def test_a_plan_goes_through_json_unchanged(plan: Plan) -> None:
    assert from_json(to_json(plan)) == plan
    assert to_json(from_json(to_json(plan))) == to_json(plan)


class CrewConfig(Config):
    size: int = 2


def test_where_it_runs_is_in_the_plan_and_in_no_key(compiled: Any, plugins: Any, plan: Plan) -> None:
    assert plan.runtime == {"uses": "local"}
    crew = Manifest(kind=Kind.EXECUTORS, name="crew", summary="made up", config="nowhere:C", impl="nowhere:I")
    there = compiled(SPEC.read_text() + "\nruntime: {uses: crew, size: 3}\n", plugins((crew, CrewConfig))).plan
    assert from_json(to_json(there)).runtime == {"uses": "crew", "size": 3}
    assert there.lock == plan.lock
    assert {s.id: s.key for s in there if s.kind != "bundle"} == {s.id: s.key for s in plan if s.kind != "bundle"}


def test_a_plan_has_no_path_of_this_machine(plan: Plan) -> None:
    assert str(Path.cwd()) not in to_json(plan)
    assert sys.prefix not in to_json(plan)


def test_the_order_of_the_file_means_nothing(compiled: Any, plan: Plan) -> None:
    text = SPEC.read_text()
    blocks = text.split("\n\n")
    turned = "\n\n".join([blocks[0], *reversed(blocks[1:])]) + "\n"
    again = compiled(turned).plan
    before = {stage.id: stage.key for stage in plan if stage.kind != "bundle"}  # a bundle holds the text itself
    assert before == {stage.id: stage.key for stage in again if stage.kind != "bundle"}


def test_earlier_steps_are_told_apart_by_what_they_use(compiled: Any) -> None:
    text = SPEC.read_text().replace("steps: [dedup, {uses: length", "steps: [dedup, dedup, {uses: length")
    ids = [stage.id for stage in compiled(text).plan if stage.kind == "curate"]
    assert ids == ["clean/dedup", "clean/dedup.2", "clean/length", "clean"]


def test_limit_and_skip_count_once(compiled: Any) -> None:
    text = SPEC.read_text().replace(
        "{from: prose, limit: 800, steps: [{uses: corrupt",
        "{from: prose, limit: 800, skip: 5, steps: [{uses: corrupt, errors: common}, {uses: corrupt",
    )
    plan = compiled(text).plan
    assert [(s.config["limit"], s.config["skip"]) for s in plan if plan.origins[s.id] == "pairs"] == [(800, 5), (None, 0)]
    assert edges(plan, "pairs") == {"rows": "pairs/corrupt"}


def test_what_a_second_evaluation_asks_again_is_one_stage(compiled: Any) -> None:
    more = "evaluate:\n  again: {data: {seen: pairs.test}, models: [gold], metrics: [exact_match]}\n"
    plan = compiled(SPEC.read_text().replace("evaluate:\n", more)).plan
    twins = {frozenset(pair) for pair in plan.aliases.items()}
    assert frozenset({"again/gold/seen", "test/gold/seen"}) in twins
    (kept,) = {"again/gold/seen", "test/gold/seen"} & {stage.id for stage in plan}
    assert edges(plan, "again")["answers.gold.seen"] == edges(plan, "test")["answers.gold.seen"] == kept


TAUGHT = """\
distill: 1
name: taught
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data: {prose: {uses: docstrings, packages: [numpy], split: {validation: 5, test: 5}}}
generate:
  pairs: {from: prose, limit: 20, steps: [{uses: corrupt, errors: common}]}
  rest: {from: prose, skip: 20, steps: [{uses: corrupt, errors: common}]}
  answers: {from: rest, steps: [{uses: answer, model: teacher}]}
models: {big: {uses: random}, small: {uses: random, layers: 1}}
train:
  teacher: {model: big, data: pairs, losses: {hard: cross_entropy}}
  student: {model: small, data: answers, losses: {hard: cross_entropy}}
evaluate: {test: {data: pairs, models: [student], metrics: [exact_match]}}
"""


def test_overlap_is_asked_about_the_teachers_of_what_is_tested_too(compiled: Any) -> None:
    ports = edges(compiled(TAUGHT).plan, "test")
    assert ports["overlap.teacher"] == "teacher/overlap"
    assert ports["overlap.student"] == "student/overlap"


def test_overlap_is_asked_about_before_a_training_and_changes_nothing_of_it(compiled: Any, plan: Plan) -> None:
    order = [stage.id for stage in plan]
    for step in TRAINED:
        assert order.index(f"{step}/overlap") < min(order.index(step), order.index("student/capture") if step == "student" else 10**6)
        assert f"{step}/overlap" not in {entry.stage for entry in plan.stage(step).inputs.values()}
    without = compiled(SPEC.read_text().replace("{seen: pairs.test, unseen: unseen}", "{seen: pairs.test}")).plan
    assert {s: without.stage(s).key == plan.stage(s).key for s in ("student", "student/overlap")} == {
        "student": True,
        "student/overlap": False,
    }


def test_no_training_on_the_way_to_a_step_goes_without_its_overlap_stage(plan: Plan) -> None:
    chosen = {stage.id for stage in select(plan, "student")}
    assert chosen >= {"teacher", "teacher/overlap", "student", "student/overlap", "unseen"}
    assert not chosen & {"gold/overlap", "refined/overlap"}
    assert not any(stage.kind == "overlap" for stage in select(plan, "learner"))


def test_a_test_set_that_comes_later_is_made_before_the_training(compiled: Any) -> None:
    """`late` hangs on `gold`, which the file has after `teacher`; nothing but order moves."""
    late = "  late:    {from: prose.test, steps: [{uses: answer, model: gold}]}\n\ncurate:"
    plan = compiled(SPEC.read_text().replace("\ncurate:", late, 1).replace("unseen: unseen}", "unseen: unseen, late: late}")).plan
    order = [stage.id for stage in plan]
    assert order.index("late") < order.index("student/overlap") < order.index("student/capture")
    # `late` is made by `gold`, and `gold` is cut from `teacher`: about these two it can be asked only afterwards.
    assert order.index("teacher") < order.index("gold") < order.index("late") < order.index("gold/overlap") < order.index("test")
    seen: set[str] = set()
    for stage in plan:
        assert {entry.stage for entry in stage.inputs.values()} <= seen
        seen.add(stage.id)


def test_two_evaluations_ask_once_about_the_same_and_twice_about_other_test_sets(compiled: Any) -> None:
    more = "evaluate:\n  again: {data: {%s}, models: [gold], metrics: [exact_match]}\n"
    for sets, found in (
        ("seen: pairs.test, unseen: unseen", {"gold/overlap"}),
        ("other: unseen", {"gold/overlap", "gold/overlap/test"}),
    ):
        plan = compiled(SPEC.read_text().replace("evaluate:\n", more % sets)).plan
        assert {stage.id for stage in plan if stage.id.startswith("gold/overlap")} == found
        assert edges(plan, "again")["overlap.gold"] == "gold/overlap"
        assert edges(plan, "test")["overlap.gold"] == max(found)


def test_a_written_capture_serves_the_loss(compiled: Any) -> None:
    capture = "capture:\n  knows: {data: clean, teacher: teacher, top_k: 32}\n\ntrain:"
    plan = compiled(SPEC.read_text().replace("train:", capture, 1)).plan
    assert edges(plan, "student")["signals.soft"] == "knows"
    assert plan.stage("knows").config["top_k"] == 32
    assert "student/capture" not in {stage.id for stage in plan}


def test_planning_loads_nothing_heavy() -> None:
    import subprocess

    code = (
        "import sys; from distillc.plugins.registry import load; from distillc.compiler.front import compile_file; "
        f"compile_file({str(SPEC)!r}, load()); print([m for m in ('torch', 'transformers', 'numpy', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_loop_is_named(compiled: Any) -> None:
    text = SPEC.read_text().replace("model: smollm2, data: pairs,", "model: refined, data: pairs,")
    with pytest.raises(InvalidSpec) as raised:
        compiled(text)
    assert any(d.code == "D204" for d in raised.value.diagnostics)


def test_the_report_knows_what_was_set_beside_the_text(shared: Any) -> None:
    plan = compile_file(SPEC, shared, overrides=["train.gold.steps=301"]).plan
    assert plan.stage("test/report").config["overrides"] == ["train.gold.steps=301"]
    assert "overrides" not in compile_file(SPEC, shared).plan.stage("test/report").config
