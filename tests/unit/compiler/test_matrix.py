"""A cell of a matrix is the plan that `--set` would give; what two cells share is one stage, and names say no more than differs."""

import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.front import Compiled
from distillc.compiler.plan import Plan, from_json, to_json, without_cell
from distillc.compiler.saved import check_saved
from distillc.compiler.show.tree import render as tree
from distillc.runtimes.driver import select
from distillc.spec.errors import InvalidSpec

GRAMMAR = (Path(__file__).parent / "grammar.yaml").read_text(encoding="utf-8")

# Random weights and no file, so that nothing is read; a chain of data, teacher, student, export, proof and bundle.
SPEC = """\
distill: 1
name: sweep
task: {kind: generate, input: text, target: fixed, prompt: "Correct: {{ text }}"}
data: {prose: {uses: docstrings, packages: [email], split: {by: module, validation: 20, test: 20}}}
generate:
  pairs: {from: prose, limit: 100, steps: [{uses: corrupt, errors: common}]}
models:
  base: {uses: random, layers: 4}
  small: {uses: prune, from: base, layers: 2}
  as_is: identity
train:
  teacher: {model: base, data: pairs, losses: {hard: cross_entropy}}
  student: {model: small, data: pairs, losses: {soft: {uses: forward_kl, teacher: teacher}}}
  gold: {model: base, data: pairs, steps: 30, losses: {hard: cross_entropy}}
quantize:
  q8: {uses: gguf, from: student, type: q8_0}
evaluate:
  test: {data: pairs.test, models: [as_is, teacher, gold, student, q8], metrics: [exact_match]}
deploy:
  edge: {uses: bundle, from: q8, path: "dist/${models.small.layers}-${train.student.batch}/"}
"""
SPEC = SPEC.replace("steps: 30", "steps: 30, batch: 16").replace("data: pairs, losses: {soft", "data: pairs, batch: 16, losses: {soft")

Make = Callable[..., Compiled]


def with_matrix(vary: Mapping[str, Sequence[Any]], spec: str = SPEC, more: str = "") -> str:
    axes = ", ".join(f"{path}: [{', '.join(map(str, values))}]" for path, values in vary.items())
    return f"{spec}matrix: {{vary: {{{axes}}}{more}}}\n"


def ids(plan: Plan, step: str) -> list[str]:
    """The stages that a step has in all cells, by their whole names."""
    return [stage.id for stage in plan if without_cell(stage.id) == step]


@pytest.fixture
def plan(compiled: Make) -> Plan:
    return compiled(with_matrix({"models.small.layers": [1, 2], "train.student.batch": [8, 16]})).plan


@pytest.mark.parametrize(
    ("spec", "vary"),
    [
        (SPEC, {"models.small.layers": [1, 2], "train.student.batch": [8, 16]}),
        (SPEC, {"seed": [1, 2], "models.small.layers": [1, 3]}),
        (SPEC, {"decoding.max_tokens": [32, 64]}),
        (SPEC, {"train.student.model": ["small", "base"], "models.small.layers": [1, 2]}),
        (SPEC, {"evaluate.test.data": ["pairs.test", "pairs.validation"], "models.small.layers": [1, 2]}),
        (SPEC, {"train.student.losses.soft.uses": ["forward_kl", "reverse_kl"], "train.student.losses.soft.teacher": ["teacher", "gold"]}),
        (SPEC, {"generate.pairs.steps.0.errors": ["common", "held_out"]}),
        (GRAMMAR, {"models.small.layers": [8, 10], "train.refined.epochs": [1, 2]}),
    ],
)
def test_a_cell_is_the_plan_that_its_values_give_when_they_are_set(compiled: Make, spec: str, vary: Mapping[str, Sequence[Any]]) -> None:
    spec = spec.replace("deploy:\n", "none:\n").split("none:\n")[0]  # a bundle has the spec's text in it, and so the matrix
    # Reports name the values that they hang on alone: see below.
    matrix = {(stage.key, without_cell(stage.id)) for stage in compiled(with_matrix(vary, spec)).plan if stage.kind != "report"}
    cells = [[f"{path}={value}" for path, value in zip(vary, values, strict=True)] for values in product(*vary.values())]
    assert matrix == {(stage.key, stage.id) for cell in cells for stage in compiled(spec, overrides=cell).plan if stage.kind != "report"}


def test_a_step_is_called_by_the_axes_that_it_hangs_on(plan: Plan) -> None:
    assert ids(plan, "small") == ["small[layers=1]", "small[layers=2]"]
    assert ids(plan, "q8") == [f"q8[layers={layers},batch={batch}]" for layers in (1, 2) for batch in (8, 16)]
    assert ids(plan, "q8/parity") == [f"q8[layers={layers},batch={batch}]/parity" for layers in (1, 2) for batch in (8, 16)]
    assert ids(plan, "test/report")[0] == "test[layers=1,batch=8]/report"


@pytest.mark.parametrize("stage", ["prose", "pairs", "base", "teacher", "gold", "student/capture", "test/teacher/pairs", "teacher/overlap"])
def test_what_no_axis_touches_exists_once_under_its_own_name(plan: Plan, stage: str) -> None:
    assert ids(plan, stage) == [stage]


def test_stages_read_those_of_their_own_cell(plan: Plan) -> None:
    by_id = {stage.id: stage for stage in plan}
    student = by_id["student[layers=2,batch=8]"]
    assert {port: entry.stage for port, entry in student.inputs.items()} == {
        "model": "small[layers=2]", "rows": "pairs", "signals.soft": "student/capture",
    }  # fmt: skip
    evaluation = by_id["test[layers=2,batch=8]"].inputs
    assert evaluation["answers.q8.pairs"].stage == "test[layers=2,batch=8]/q8/pairs"
    assert evaluation["answers.teacher.pairs"].stage == "test/teacher/pairs"


def test_stages_stand_after_what_they_read(plan: Plan) -> None:
    seen: set[str] = set()
    for stage in plan:
        assert {entry.stage for entry in stage.inputs.values()} <= seen
        seen.add(stage.id)


def test_a_report_says_what_its_cell_set_and_no_more(compiled: Make) -> None:
    other = "metrics: [exact_match]}\n  other: {data: pairs.test, models: [gold, as_is], metrics: [exact_match]}"
    spec = SPEC.split("deploy:")[0].replace("metrics: [exact_match]}", other)
    vary = {"models.small.layers": [1, 2], "train.gold.steps": [5, 10], "train.student.model": ["small", "base"]}
    plan = compiled(with_matrix(vary, spec), overrides=["seed=3"]).plan
    found = {stage.id: stage.config["overrides"] for stage in plan if stage.kind == "report"}
    assert found["other[steps=10]/report"] == ["train.gold.steps=10", "seed=3"]
    small = ["models.small.layers=2", "train.gold.steps=5", "train.student.model=small", "seed=3"]
    assert found["test[layers=2,steps=5,model=small]/report"] == small
    assert found["test[steps=5,model=base]/report"] == ["train.gold.steps=5", "train.student.model=base", "seed=3"]
    assert len(found) == 2 + 2 * 3


def test_a_profile_and_set_win_over_the_matrix(compiled: Make) -> None:
    text = with_matrix({"models.small.layers": [1, 2], "train.student.batch": [8, 16]}) + "profiles: {one: {models.small.layers: 3}}\n"
    assert ids(compiled(text, profile="one").plan, "student") == ["student[batch=8]", "student[batch=16]"]
    assert ids(compiled(text, overrides=["train.student.batch=4"]).plan, "student") == ["student[layers=1]", "student[layers=2]"]


def test_two_values_with_one_result_are_one_stage_that_both_names_lead_to(compiled: Make) -> None:
    plan = compiled(with_matrix({"models.small.layers": [1, 2, 2.0]})).plan
    assert ids(plan, "small") == ["small[layers=1]", "small[layers=2]"]
    assert plan.aliases["small[layers=2.0]"] == "small[layers=2]"
    assert plan.named("small[layers=2.0]") == {"small[layers=2]"}


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("small", {"small[layers=1]", "small[layers=2]"}),
        ("small[layers=2]", {"small[layers=2]"}),
        ("student[layers=2,batch=8]", {"student[layers=2,batch=8]", "student/capture", "student/overlap"}),
        ("q8[layers=2]", {f"q8[layers=2,batch={batch}]{part}" for batch in (8, 16) for part in ("", "/parity")}),
        ("q8/parity", {f"q8[layers={n},batch={batch}]/parity" for n in (1, 2) for batch in (8, 16)}),
        ("small[layers=3]", set()),
        ("smal", set()),
    ],
)
def test_a_name_means_the_stages_of_a_step_in_its_cells(plan: Plan, name: str, stages: set[str]) -> None:
    assert plan.named(name) == stages


def test_up_to_a_step_of_one_cell_nothing_of_another_runs(plan: Plan) -> None:
    chosen = [stage.id for stage in select(plan, "student[layers=2,batch=8]")]
    assert "student[layers=2,batch=8]" in chosen and "small[layers=2]" in chosen
    assert "student/overlap" in chosen and "teacher/overlap" in chosen  # asked before it trains
    assert not any("layers=1" in id or "batch=16" in id for id in chosen)


def test_each_value_may_be_a_whole_step_and_its_facts_are_pinned_by_cell(compiled: Make) -> None:
    spec = SPEC.replace("base: {uses: random, layers: 4}", "base: {uses: random}")
    plan = compiled(with_matrix({"models.base": ["{uses: random, layers: 4}", "{uses: random, layers: 6}"]}, spec.split("deploy:")[0])).plan
    assert ids(plan, "base") == ["base[base=#1]", "base[base=#2]"]
    one, two = (plan.lock["facts"][f"base[base=#{n}]"] for n in (1, 2))
    assert one["fields"] != two["fields"]


def test_a_bundle_has_the_lock_of_its_own_cell(compiled: Make) -> None:
    spec = SPEC.replace("dist/${models.small.layers}-${train.student.batch}/", "dist/${models.base.layers}/")
    plan = compiled(with_matrix({"models.base.layers": [4, 6]}, spec)).plan
    one, two = (tomllib.loads(stage.config["lock"]) for stage in plan if stage.kind == "bundle")
    assert list(one["facts"]) == list(two["facts"]) == ["base"]
    assert [one["facts"]["base"], two["facts"]["base"]] == [plan.lock["facts"][f"base[layers={n}]"] for n in (4, 6)]


def test_cells_that_write_to_one_path_are_one_error_with_the_way_out(compiled: Make) -> None:
    with pytest.raises(InvalidSpec) as raised:
        compiled(
            with_matrix({"models.small.layers": [1, 2, 3], "train.student.batch": [8, 16]}, SPEC.replace("-${train.student.batch}", ""))
        )
    (found,) = [finding for finding in raised.value.diagnostics if finding.code == "D651"]
    assert found.message == "`edge[layers=1,batch=16]` writes to `dist/1/`, where `edge[layers=1,batch=8]` writes"
    assert found.help == "let the path say the cell, as in `path: dist/1/${train.student.batch}/`"


def test_a_finding_that_holds_in_some_cells_is_there_once_and_names_them(compiled: Make) -> None:
    spec = SPEC.replace("layers: 2}", 'layers: "${seed}"}')
    with pytest.raises(InvalidSpec) as raised:
        compiled(with_matrix({"train.student.batch": [8, 16], "seed": [1, 2, 5, 6]}, spec))
    found = [
        (finding.message, finding.notes, [label.message for label in finding.related])
        for finding in raised.value.diagnostics
        if finding.code == "D553"
    ]
    assert found == [
        ("`small` cannot keep 5 layers: `base` has 4", ("in the cell seed=5",), ["`seed` stands here"]),
        ("`small` cannot keep 6 layers: `base` has 4", ("in the cell seed=6",), ["`seed` stands here"]),
    ]


def test_a_finding_about_a_value_of_the_matrix_stands_at_that_value(compiled: Make) -> None:
    text = with_matrix({"models.small.layers": [1, 5]})
    with pytest.raises(InvalidSpec) as raised:
        compiled(text)
    (found,) = [finding for finding in raised.value.diagnostics if finding.code == "D553"]
    assert found.span is not None and found.notes == ()
    assert text.splitlines()[found.span.line - 1][found.span.column - 1 : found.span.end_column - 1] == "5"


def test_a_plan_with_cells_is_saved_and_found_sound(plan: Plan, shared: Any) -> None:
    again = from_json(to_json(plan))
    assert again == plan or to_json(again) == to_json(plan)
    check_saved(again, shared)


def test_the_tree_shows_cells_as_steps(plan: Plan) -> None:
    lines = tree(plan).splitlines()
    assert any(line.startswith("├─ student[layers=1,batch=8] ") for line in lines)
    assert any(line.startswith("├─ teacher ") for line in lines)


def test_the_cost_of_a_plan_grows_with_its_cells(compiled: Make) -> None:
    def seconds(cells: int) -> float:
        text = with_matrix({"train.student.batch": range(1, cells + 1)})
        started = time.process_time()
        compiled(text)
        return time.process_time() - started

    seconds(5)
    small, large = min(seconds(30) for _ in range(3)), min(seconds(300) for _ in range(2))
    assert large / small < 20  # linear is 10 at most
