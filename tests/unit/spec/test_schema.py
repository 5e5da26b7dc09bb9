import json
import random
from typing import Any

import jsonschema
import pytest
from pydantic import Field

from distillc.plugins import registry
from distillc.spec.check import check
from distillc.spec.fields import Config
from distillc.spec.lint import lint
from distillc.spec.nodes import Node, to_plain
from distillc.spec.parse import parse
from distillc.spec.schema import SCHEMA_FILE, dump
from distillc.spec.source import Source
from distillc.spec.table import PluginTable

SPEC = """
distill: 1
name: grammar
task: {kind: generate, input: text, target: fixed, prompt: "Correct: {{ text }}"}
decoding: {max_tokens: 64, temperature: 0, stop: ["\\n"]}
data:
  prose: {uses: docstrings, packages: [numpy], split: {by: module, validation: 2, test: 3}}
generate:
  pairs: {from: prose, limit: 800, steps: [{uses: corrupt, errors: common}]}
  answers: {from: prose, steps: [{uses: answer, model: teacher, decoding: {max_tokens: 5}}]}
curate:
  clean: {from: answers, steps: [dedup, {uses: length, max_tokens: 64}, {uses: decontaminate, against: [pairs.test]}]}
models:
  base: {uses: random, layers: 2, width: 64, family: none}
  small: {uses: prune, from: teacher, layers: 1}
  rules: harper
train:
  teacher: {model: base, data: pairs, losses: {hard: cross_entropy}, epochs: 0.5}
  student: {model: small, data: clean, validation: pairs.validation, early_stopping: {metric: errant_f0.5},
            losses: {soft: {uses: forward_kl, teacher: teacher, temperature: 2}}}
quantize: {q8: {uses: gguf, from: student}}
choose: {best: {among: [q8, student], by: gleu, data: pairs.validation, within: {bytes: 60MB}}}
evaluate:
  test: {data: pairs.test, models: [rules, q8], metrics: [errant], judges: {lints: harper},
         gates: {better: {model: q8, metric: errant_f0.5, against: rules}}}
deploy: {edge: {uses: bundle, from: [q8], needs: better}}
budget: {usd: 20, wall: 4h}
"""


def root_of(text: str) -> Node:
    root, found = parse(Source("f", text))
    assert root is not None and not found
    return root


def plain(text: str) -> Any:
    return to_plain(root_of(text))


def valid_here(text: str, table: PluginTable) -> bool:
    return not check(root_of(text), table.language_schema()).diagnostics


def test_ordinary_validators_can_read_the_schema(table):
    jsonschema.Draft202012Validator.check_schema(table.language_schema())
    jsonschema.validate(plain(SPEC), table.language_schema())
    assert valid_here(SPEC, table)


MUTATIONS = [
    ("max_tokens: 64, temp", "max_tokens: 0, temp"),
    ("kind: generate", "kind: rank"),
    ("limit: 800", "limit: eight"),
    ("limit: 800", "limt: 800"),
    ("[dedup,", "[dedupe,"),
    ("[dedup,", "[length,"),
    ("[dedup,", "[decontaminate,"),
    ("[dedup,", "[{uses: dedup, x: 1},"),
    ("[dedup,", "[{},"),
    ("[dedup,", "[3,"),
    ("width: 64", "width: 65"),
    ("width: 64", "width: 64.0"),
    ("width: 64", "width: true"),
    ("rules: harper", "rules: prune"),
    ("rules: harper", "9: harper"),
    ("rules: harper", "rules: {uses: harper, from: base}"),
    ("from: teacher, layers: 1", "layers: 1"),
    ("losses: {hard: cross_entropy}", "losses: {}"),
    ("bytes: 60MB", "bytes: 60 monkeys"),
    ("among: [q8, student]", "among: [q8]"),
    ("data: pairs.test,", "data: {seen: pairs.test},"),
    ("data: pairs.test,", "data: {},"),
    ("data: pairs.test,", "data: [pairs.test],"),
    ("needs: better", "needs: [better]"),
    ("needs: better", "needs: null"),
    ("needs: better", "needs: 1"),
    ("wall: 4h", "wall: 4"),
    ("errors: common", "errors: comon"),
    ("packages: [numpy]", "packages: []"),
    ("early_stopping: {metric: errant_f0.5}", "early_stopping: null"),
    ("early_stopping: {metric: errant_f0.5}", "early_stopping: {patience: 1.5}"),
    ("early_stopping: {metric: errant_f0.5}", "trainer: local"),
    ("early_stopping: {metric: errant_f0.5}", "trainer: {uses: remote}"),
    ("decoding: {max_tokens: 5}", "decoding: {top_k: 5}"),
]


@pytest.mark.parametrize(("before", "after"), MUTATIONS)
def test_the_walker_and_an_ordinary_validator_agree(table, before, after):
    text = SPEC.replace(before, after, 1)
    assert text != SPEC
    validator = jsonschema.Draft202012Validator(table.language_schema())
    assert valid_here(text, table) == validator.is_valid(plain(text))


def test_they_agree_on_specs_with_a_random_value_anywhere(table):
    """Values of every type put at random places: 150 specs of which most are wrong."""
    validator = jsonschema.Draft202012Validator(table.language_schema())
    chance = random.Random(7)

    def places(value, path=()):
        yield path
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, child in inner:
            yield from places(child, (*path, key))

    paths = [path for path in places(plain(SPEC)) if path and path != ("distill",)]
    for _ in range(150):
        spec, path = plain(SPEC), chance.choice(paths)
        target = spec
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = chance.choice([None, True, 3, 2.5, "harper", "", [], ["q8"], {}, {"uses": "dedup"}, {"a": 1}])
        text = json.dumps(spec)  # JSON is YAML 1.2
        assert valid_here(text, table) == validator.is_valid(spec), (path, target[path[-1]])


def test_a_config_that_takes_a_key_of_the_section_is_refused_where_it_is_used(table_with):
    class Greedy(Config):
        weight: float = 1.0

    table = table_with("losses", "greedy", Greedy)
    assert not lint(SPEC, "f", table).failed, "it must harm no spec that does not use it"
    linted = lint(SPEC.replace("{hard: cross_entropy}", "{hard: greedy}"), "f", table)
    assert [d.message for d in linted.diagnostics if d.code < "D2"] == [
        "the loss `greedy` cannot be used: its config declares `weight`, which the section owns"
    ]


def test_a_config_with_a_constraint_that_cannot_be_checked_is_refused(table_with):
    class Odd(Config):
        value: str = Field(json_schema_extra={"not": {"const": "x"}})

    linted = lint(SPEC.replace("[errant]", "[errant, {uses: odd, value: x}]"), "f", table_with("metrics", "odd", Odd))
    assert [d.code for d in linted.diagnostics if d.code < "D2"] == ["D111"]


def test_models_inside_a_config_are_checked_too(table_with):
    class Inner(Config):
        depth: int = Field(ge=1)

    class Outer(Config):
        inner: Inner
        more: dict[str, Inner] = Field(default_factory=dict)

    table = table_with("metrics", "nested", Outer)
    step = "{uses: nested, inner: {depth: 0}, more: {a: {depth: 1, width: 2}}}"
    linted = lint(SPEC.replace("[errant]", f"[errant, {step}]"), "f", table)
    assert [d.code for d in linted.diagnostics if d.code < "D2"] == ["D105", "D101"]


def test_the_schema_in_the_repository_is_fresh(monkeypatch):
    """Written by `make generate`."""
    monkeypatch.setenv("DISTILLC_PLUGINS", "")
    schema = registry.load().language_schema()
    broken = [d["x-distillc-broken"] for d in schema["$defs"].values() if "x-distillc-broken" in d]
    assert not broken
    assert SCHEMA_FILE.read_text(encoding="utf-8") == dump(schema)


@pytest.mark.parametrize("number", ["1" + "0" * 309, "-1" + "0" * 398, "1e999", ".inf", ".nan"])
def test_a_number_that_no_float_holds_is_refused_where_a_float_is_wanted(table, number):
    linted = lint(SPEC.replace("usd: 20", f"usd: {number}"), "f", table)
    assert [d.code for d in linted.diagnostics if d.code < "D2"] == ["D103"]


def test_a_name_ends_at_its_end_and_not_before_a_line_break(table):
    linted = lint(SPEC.replace("name: grammar", 'name: "grammar\\n"'), "f", table)
    assert [d.code for d in linted.diagnostics if d.code < "D2"] == ["D106"]
