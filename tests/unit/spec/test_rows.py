"""Rows of third parties' plugins are seen by what their manifests declare, and nothing is made up of those that declare nothing."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field

from distillc.compiler.outline import Outline
from distillc.plugins.api.manifest import Kind, Manifest
from distillc.plugins.registry import Entry, Registry
from distillc.spec.fields import Config, FilePath, ModelRef, RowsRef
from distillc.spec.lint import lint
from distillc.spec.pedigree import pedigree
from distillc.spec.rows import Rows, all_rows
from distillc.spec.schema import compose


class Parquet(Config):
    file: FilePath
    most: int | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    thread: str | None = None


class Translate(Config):
    by: ModelRef
    field: Literal["target", "output"] = "target"


class Against(Config):
    unlike: RowsRef


class Nothing(Config):
    pass


MORE: list[tuple[Kind, str, Mapping[str, Any], type[Config]]] = [
    (Kind.SOURCES, "parquet", {"rows": "most", "target": {"const": "none"}, "columns": "columns", "group": "thread"}, Parquet),
    (Kind.GENERATORS, "translate", {"rows": "one", "answers": "field"}, Translate),
    (Kind.GENERATORS, "evolve", {}, Nothing),
    (Kind.CURATORS, "unlike", {"scope": "row"}, Against),
]
SPECS = sorted((Path(__file__).parents[2] / "diagnostics" / "ok").glob("*.yaml"))
HEAD = """distill: 1
name: x
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
models: {big: {uses: random}, other: {uses: random}}
data: {read: {uses: parquet, file: a.parquet, most: 300, split: {by: row, validation: 40, test: 60}}}
"""


@pytest.fixture(scope="module")
def plugins(builtins: Registry) -> Registry:
    more = [
        Entry(Manifest(kind=kind, name=name, summary="", config="", impl="", capabilities=able), "theirs", "1", config.model_json_schema())
        for kind, name, able, config in MORE
    ]
    entries = [*builtins.entries, *more]
    return Registry(entries, compose(Registry(entries, {})))


@pytest.fixture
def rows(plugins: Registry) -> Callable[[str], Mapping[str, Rows]]:
    def read(text: str) -> Mapping[str, Rows]:
        context = lint(HEAD + text, "f", plugins).context
        assert context is not None
        return all_rows(context)

    return read


@pytest.fixture
def codes(plugins: Registry) -> Callable[[str], list[str]]:
    return lambda text: [
        finding.code for finding in lint(text, "f", plugins).diagnostics if finding.code in ("D307", "D308", "D312", "D313")
    ]


def test_a_source_says_how_many_rows_there_are_and_that_they_have_no_targets(rows, codes):
    """300 less 40 and 60 held out."""
    read = rows("")["read"]
    assert (read.at_most, read.bare, read.splits) == (200, "read", ("train", "validation", "test"))
    train = "train: {s: {model: big, data: read, losses: {hard: cross_entropy}}}\n"
    assert codes(HEAD + train) == ["D312"]


def test_the_fields_of_a_source_have_its_own_names(codes):
    assert codes(HEAD.replace("most: 300,", "columns: {wrong: text}, most: 300,")) == ["D307"]
    assert codes(HEAD.replace("by: row", "by: group")) == ["D308"]
    assert codes(HEAD.replace("by: row", "by: group").replace("most: 300,", "thread: id, most: 300,")) == []


def test_answers_of_a_generator_are_targets_where_it_says_so(rows, codes):
    made = rows("generate: {g: {from: read, skip: 50, steps: [{uses: translate, by: big}]}}\n")["g"]
    assert (made.answered, made.bare, made.teachers, made.at_most, made.start) == (("g", 0), None, ("big",), 150, 50)
    beside = rows("generate: {g: {from: read, steps: [{uses: translate, by: big, field: output}]}}\n")["g"]
    assert (beside.answered, beside.bare, beside.teachers) == (None, "read", ())
    twice = "generate: {g: {from: read, steps: [{uses: translate, by: big}, {uses: answer, model: other}]}}\n"
    assert codes(HEAD + twice) == ["D313"]
    assert codes(HEAD + twice.replace("by: big", "by: big, field: output")) == []


def test_a_panel_whose_answers_are_all_kept_makes_a_row_of_each(rows):
    """200 training rows less 50, and 40 and 60 held out: two models answer each, and one of them each of those again."""
    step = "generate: {g: {from: read, skip: 50, steps: [{uses: answer, model: [big, other], keep: %s}, {uses: answer, model: big}]}}\n"
    every = rows(step % "all")["g"]
    assert (every.at_most, dict(every.held_out)) == (300, {"validation": 80, "test": 120})
    assert (every.teachers, [effect.times for effect in every.effects]) == (("big", "other"), [2, 1])
    agreed = rows(step % "agreement")["g"]
    assert (agreed.at_most, dict(agreed.held_out)) == (150, {"validation": 40, "test": 60})


def test_what_a_generator_does_that_says_nothing_is_left_open(rows, codes):
    steps = "generate: {g: {from: read, limit: 9, steps: [{uses: translate, by: big}, evolve, {uses: translate, by: other}]}}\n"
    made = rows(steps)["g"]
    assert (made.at_most, made.unsifted, made.bare, made.answered) == (None, False, None, ("g", 2))
    assert codes(HEAD + steps) == []


def test_rows_that_a_curator_names_are_taken_out_whatever_it_is_called(rows):
    assert rows("curate: {c: {from: read.train, steps: [{uses: unlike, unlike: read.test}]}}\n")["c"].cleaned_of == {"read"}


def test_an_answer_beside_the_target_makes_no_teacher(plugins):
    text = """generate:
  g: {from: read.train, steps: [{uses: translate, by: big}]}
  h: {from: g, steps: [{uses: translate, by: other, field: output}]}
train: {s: {model: other, data: h, losses: {hard: cross_entropy}}}
"""
    context = lint(HEAD + text, "f", plugins).context
    assert context is not None
    assert Outline(context, plugins, lambda origin: None).models["s"].teachers == pedigree(context).taught_by("s") == ("big",)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
def test_the_compiler_and_the_language_see_the_same_rows_models_and_teachers(spec, plugins):
    context = lint(spec.read_text(encoding="utf-8"), spec.name, plugins, read=lambda path: spec.with_name(path.name).read_bytes()).context
    assert context is not None
    outline, family = Outline(context, plugins, lambda origin: None), pedigree(context)
    assert outline.rows.items() <= all_rows(context).items()
    for name, model in outline.models.items():
        assert tuple(outline.ancestors(name)) == family.ancestors(name)
        assert set(model.teachers) == set(family.taught_by(name))


def test_steps_in_a_loop_and_those_made_of_what_is_not_there_are_left_out(rows):
    loop = "  a: {from: b, steps: [evolve]}\n  b: {from: a, steps: [evolve]}\n  c: {from: b, steps: [evolve]}\n"
    lost = "  d: {from: nothing, steps: [evolve]}\n  e: {from: d, steps: [evolve]}\n  f: {from: read, steps: [evolve]}\n"
    assert set(rows(f"generate:\n{loop}{lost}")) == {"read", "f"}
