"""What is known of a spec without pydantic and without files. Expected values are read off the spec by hand."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from distillc.compiler.outline import Outline
from distillc.compiler.outline.models import FACTS, Origin
from distillc.compiler.outline.roles import roles
from distillc.compiler.rules import check
from distillc.plugins.api.manifest import Kind, Manifest
from distillc.spec.declared import evaluated
from distillc.spec.fields import Config
from distillc.spec.lint import lint

SPEC = """\
distill: 1
name: small
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data:
  prose: {uses: docstrings, packages: [numpy], limit: 500, split: {validation: 40, test: 60}}
generate:
  pairs: {from: prose, limit: 100, steps: [corrupt]}
  learner: {from: prose.train, skip: 100, steps: [{uses: corrupt, gold: drop}]}
  answers: {from: learner, steps: [{uses: answer, model: teacher}]}
curate:
  clean: {from: answers, steps: [dedup, {uses: decontaminate, against: [pairs.test]}]}
models:
  base: {uses: transformers, path: models/base, family: smollm2, license: Apache-2.0}
  small: {uses: prune, from: teacher, layers: 12}
  rules: harper
train:
  teacher: {model: base, data: pairs, losses: {hard: cross_entropy}}
  student: {model: small, data: clean, losses: {soft: {uses: forward_kl, teacher: teacher, temperature: 2}}}
quantize:
  q6: {uses: gguf, from: student, type: q6_k}
evaluate:
  test: {data: pairs, models: [rules, teacher, small, student, q6], metrics: [exact_match]}
"""

BASE = {"format": "gguf", "architecture": "llama", "width": 576, "layers": 30, "license": "mit", "tokenizer": "gguf:a"}

Make = Callable[..., Outline]


@pytest.fixture
def outline(shared: Any) -> Make:
    """`outline(text, learn)`: of a spec, with what `learn` says of models."""

    def make(text: str = SPEC, learn: Callable[[Origin], Mapping[str, Any] | None] = lambda origin: None, registry: Any = None) -> Outline:
        context = lint(text, "distill.yaml", registry or shared).context
        assert context is not None
        return Outline(context, registry or shared, learn)

    return make


def test_values_have_the_defaults_of_the_language_and_of_the_plugins(outline: Make) -> None:
    steps = {step.name: step.body for step in outline().order}
    assert steps["student"] == {
        "model": "small", "data": "clean", "epochs": 3.0, "batch": 16, "learning_rate": 5e-4, "warmup": 0.05, "weight_decay": 0.01,
        "max_grad_norm": 1.0, "trainer": {"uses": "local"},
        "losses": {"soft": {"uses": "forward_kl", "teacher": "teacher", "temperature": 2, "weight": 1.0, "min_mass": 0.05}},
    }  # fmt: skip
    assert steps["rules"] == {"uses": "harper"}
    assert steps["clean"]["steps"][0] == {"uses": "dedup", "similarity": 0.85}


def test_a_section_that_is_not_written_has_its_defaults(outline: Make) -> None:
    assert outline().part("decoding") == {"max_tokens": 64, "temperature": 0.0}


def test_steps_come_after_what_they_name(outline: Make) -> None:
    assert [step.name for step in outline().order] == [
        "prose", "pairs", "learner", "base", "rules", "teacher", "answers", "clean", "small", "student", "q6", "test"
    ]  # fmt: skip


def test_rows_know_where_they_come_from(outline: Make) -> None:
    found = outline().rows
    assert (found["clean"].data, found["clean"].splits, found["clean"].start, found["clean"].stop) == ("prose", ("train",), 100, None)
    assert found["clean"].teachers == ("teacher",)
    assert found["clean"].cleaned_of == {"pairs"}
    assert found["pairs"].splits == ("train", "validation", "test")


def test_rows_are_bounded_by_what_is_written(outline: Make) -> None:
    """500 less 40 and 60 held out are 400; 100 of them are passed over."""
    found = outline().rows
    assert [found[name].at_most for name in ("prose", "pairs", "learner", "answers", "clean")] == [400, 100, 300, 300, 300]


def test_a_generator_that_may_make_several_rows_of_one_knows_no_bound(outline: Make, plugins: Any) -> None:
    class Empty(Config):
        pass

    more = Manifest(kind=Kind.GENERATORS, name="more", summary="made up", config="nowhere:C", impl="nowhere:I")
    registry = plugins((more, Empty))
    assert outline(SPEC.replace("steps: [corrupt]", "steps: [more]"), registry=registry).rows["pairs"].at_most is None


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (("pairs", "train"), ("learner", "train"), False),  # the first hundred, and those after them
        (("pairs", "train"), ("prose", "train"), True),
        (("pairs.test", None), ("prose.test", None), True),
        (("pairs.test", None), ("pairs", "train"), False),
        (("pairs", None), ("learner", None), False),
        (("pairs", None), ("prose.validation", None), True),
    ],
)
def test_rows_meet_where_split_and_range_do(outline: Make, one: Any, other: Any, meet: bool) -> None:
    assert outline().meet(*one, *other) is meet
    assert outline().meet(*other, *one) is meet


def test_models_know_their_lineage_and_teachers(outline: Make) -> None:
    found = outline()
    student = found.models["student"]
    assert (student.parent, student.root, student.families, student.license) == ("small", "base", ("smollm2",), "Apache-2.0")
    assert (student.teachers, student.soft, student.data) == (("teacher",), ("teacher",), "clean")
    assert found.ancestors("q6") == ["q6", "student", "small", "teacher", "base"]
    assert found.behind("base") == ["base"]
    assert (found.models["rules"].has_weights, found.models["rules"].family) == (False, "harper")
    assert roles(found, ["rules", "teacher", "small", "q6"]) == {
        "rules": "reference", "teacher": "teacher", "small": "base", "q6": "student"
    }  # fmt: skip


def test_facts_pass_down_where_a_plugin_keeps_them(outline: Make) -> None:
    found = outline(learn=lambda origin: BASE if origin.parent is None else None)
    assert found.known(found.models["q6"], "width") == 576
    assert found.known(found.models["q6"], "layers") == 12  # pruned
    assert (found.models["q6"].format, found.models["q6"].facts["block"], found.models["q6"].facts["precision"]) == ("gguf", 256, "q6_k")
    assert found.models["base"].format == "hf"  # what the plugin builds, not what it reads
    assert found.models["base"].license == "Apache-2.0"  # what the spec says, not the file
    assert not found.waited
    assert found.known(found.models["q6"], "parameters") is None and found.waited  # cutting keeps no number of parameters


def test_what_has_not_been_asked_has_to_wait(outline: Make) -> None:
    found = outline()
    assert found.known(found.models["q6"], "layers") == 12 and not found.waited  # the spec itself says so
    assert found.known(found.models["q6"], "width") is None and found.waited


def test_rules_without_weights_have_nothing_to_wait_for(outline: Make) -> None:
    found = outline()
    assert found.known(found.models["rules"], "width") is None and not found.waited
    assert found.models["rules"].facts.keys() >= set(FACTS)


def test_the_rules_that_had_to_wait_are_named(outline: Make) -> None:
    assert check(outline())[1] == {"D352", "D550", "D553", "D554", "D555"}
    found, waiting = check(outline(learn=lambda origin: BASE if origin.parent is None else None))
    assert ([finding.code for finding in found], waiting) == (["D550"], frozenset())


@pytest.mark.parametrize(
    ("old", "new", "left_out"),
    [
        ("layers: 12", "layers: many", {"small", "student", "q6", "test"}),
        ("from: prose,", "from: porse,", {"pairs", "teacher", "answers", "clean", "small", "student", "q6", "test"}),
        ("from: teacher, layers", "from: student, layers", {"small", "student", "q6", "test"}),  # a loop
        ("against: [pairs.test]", "against: [pairs.tset]", {"clean", "student", "q6", "test"}),
        ("path: models/base,", "", {"base", "teacher", "answers", "clean", "small", "student", "q6", "test"}),
    ],
)
def test_what_is_wrong_and_what_hangs_on_it_is_left_out(outline: Make, old: str, new: str, left_out: set[str]) -> None:
    assert old in SPEC
    everything = {step.name for step in outline().order}
    assert everything - {step.name for step in outline(SPEC.replace(old, new)).order} == left_out


def test_a_step_waits_for_the_capture_that_serves_it(outline: Make) -> None:
    text = SPEC.replace("models:\n", "capture:\n  seen: {data: clean, teacher: teacher}\nmodels:\n")
    names = [step.name for step in outline(text).order]
    assert names.index("seen") < names.index("student")


@pytest.mark.parametrize(
    ("where", "line", "text"),
    [
        (("models", "small", "layers"), 14, "12"),
        (("train", "student", "losses", "soft"), 18, "soft"),
        (("train", "student", "losses", "soft", "min_mass"), 18, "soft"),  # a default: the nearest thing around it
        (("evaluate", "test", "models", 1), 22, "teacher"),
        (("train", "student"), 18, "student"),
    ],
)
def test_a_place_is_a_value_or_the_name_of_something_larger(outline: Make, where: Any, line: int, text: str) -> None:
    span = outline().span(where)
    assert span is not None and span.line == line
    assert SPEC.splitlines()[line - 1][span.column - 1 : span.end_column - 1] == text


def test_a_place_that_stands_nowhere_has_none(outline: Make) -> None:
    assert outline().span(("choose", "best")) is None


@pytest.mark.parametrize(
    ("declared", "fields", "fact"),
    [
        (32, {}, 32),
        ("layers", {"layers": 12}, 12),
        ("layers", {}, None),
        ({"const": "layers"}, {"layers": 12}, "layers"),
        ({"precision": {"int4": "block_size", "fp32": 1}}, {"precision": "int4", "block_size": 64}, 64),
        ({"precision": {"int4": "block_size", "fp32": 1}}, {"precision": "fp32", "block_size": 64}, 1),
        ({"precision": {"int4": "block_size"}}, {"precision": "int2"}, None),
    ],
)
def test_a_fact_is_declared_as_plain_data(declared: Any, fields: Any, fact: Any) -> None:
    assert evaluated(declared, fields) == fact
