"""What the schema says to people: every key is explained, and what it offers to write is right."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest

from distillc.spec.annotations import spoken
from distillc.spec.schema import SCHEMA_FILE

SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))  # the built-ins; test_schema holds it fresh


def parts(schema: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every schema inside `schema`, with its path. What is under `examples`, `enum` and the like is data."""
    if not isinstance(schema, Mapping):
        return
    yield path, schema
    for word, value in schema.items():
        if word in ("properties", "$defs"):
            for name, inner in value.items():
                yield from parts(inner, f"{path}.{name}" if word == "properties" else name)
        elif word in ("anyOf", "oneOf", "allOf"):
            for inner in value:
                yield from parts(inner, path)
        elif word in ("items", "additionalProperties", "propertyNames", "if", "then", "else"):
            yield from parts(value, path)


PARTS = list(parts(SCHEMA, ""))


def valid(value: Any, part: Mapping[str, Any]) -> bool:
    return jsonschema.Draft202012Validator({**part, "$defs": SCHEMA["$defs"]}).is_valid(value)


def test_every_key_and_every_definition_is_described():
    keys = {f"{path}.{key}": value for path, part in PARTS if "if" not in part for key, value in part.get("properties", {}).items()}
    silent = [path for path, value in keys.items() if not value.get("description") and "const" not in value]
    assert not silent
    assert not [name for name, definition in SCHEMA["$defs"].items() if not definition.get("description")]


def test_no_key_offers_nothing_as_its_default():
    """An editor that completes `license` would write `license: null`."""
    assert not [path for path, part in PARTS if part.get("default", "") is None]


def test_titles_are_words_and_keys_have_none():
    assert SCHEMA["title"] == "distill.yaml"
    assert {SCHEMA["$defs"][name]["title"] for name in ("TrainStep", "EarlyStopping", "SourceStep.csv")} == {
        "train step",
        "early stopping",
        "csv (sources)",
    }
    assert "title" not in SCHEMA["$defs"]["TrainStep"]["properties"]["learning_rate"]
    assert spoken("OnPolicy") == "on policy"


def test_each_plugin_name_is_explained_where_it_is_offered():
    bare, mapping = SCHEMA["$defs"]["MetricStep"]["anyOf"]
    uses = mapping["properties"]["uses"]
    assert dict(zip(uses["enum"], uses["enumDescriptions"], strict=True))["exact_match"] == "the share of outputs that equal a reference"
    assert bare["enum"] == uses["enum"]


def test_every_value_that_is_explained_exists():
    described = [(path, part) for path, part in PARTS if "enumDescriptions" in part]
    assert len(described) > 10
    assert not [path for path, part in described if len(part["enumDescriptions"]) != len(part["enum"])]


@pytest.mark.parametrize(("path", "part"), [(path, part) for path, part in PARTS if "examples" in part], ids=lambda value: str(value)[:40])
def test_examples_are_valid(path, part):
    assert all(valid(example, part) for example in part["examples"])


SNIPPETS = [(path, part, snippet) for path, part in PARTS for snippet in part.get("defaultSnippets", ())]


@pytest.mark.parametrize(("path", "part", "snippet"), SNIPPETS, ids=[f"{path}-{snippet['label']}" for path, _, snippet in SNIPPETS])
def test_snippets_become_valid_steps_when_their_gaps_are_filled(path, part, snippet):
    filled = json.dumps(snippet["body"])
    for gap in re.findall(r'"\$(?:\d+|{\d+:[^}]*})"', filled):
        words = gap.strip('"${}').partition(":")[2]
        filled = filled.replace(gap, words if words and words.replace(".", "").isdecimal() else json.dumps(words or "x"), 1)
    step = json.loads(re.sub(r"\$\d+", "x", filled))
    definition = SCHEMA["$defs"].get(path, part)
    assert valid(step, definition) or any(valid({**step, key: 1}, definition) for key in step), step


def test_keys_stand_in_the_order_of_the_language_not_of_the_alphabet():
    assert list(SCHEMA["properties"])[:4] == ["distill", "name", "seed", "extends"]
    assert list(SCHEMA["$defs"]["Gate"]["properties"]) == ["model", "metric", "against", "margin", "level"]
