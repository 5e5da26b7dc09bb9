"""Three readers of one spec agree on whether its shape is right: jsonschema by the schema, pydantic by the models and the plugins' configs
(as the compiler reads them), and our walker.

Where one of them differs on purpose, a function of this module says so and why, and nothing else does.
"""

import json
import os
import random
import re
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import validators
from pydantic import BaseModel, ValidationError

from distillc.plugins import registry
from distillc.plugins.registry import Registry
from distillc.spec.check import check
from distillc.spec.marks import marked_fields
from distillc.spec.model import ModelStep, Spec, Uses
from distillc.spec.parse import parse
from distillc.spec.source import Source
from tests.unit.spec.specs_at_random import Maker, changed

ALL_CHECKS = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
    HealthCheck.function_scoped_fixture,
    HealthCheck.differing_executors,
)


@cache
def builtins() -> Registry:
    before = os.environ.get("DISTILLC_PLUGINS")
    os.environ["DISTILLC_PLUGINS"] = ""
    try:
        return registry.load()
    finally:
        if before is None:
            del os.environ["DISTILLC_PLUGINS"]
        else:
            os.environ["DISTILLC_PLUGINS"] = before


def ends_at_the_end(_: Any, pattern: str, text: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
    """`pattern` as the standard has it (ECMA-262). jsonschema hands it to Python's `re`, whose `$` lets a line break follow."""
    if isinstance(text, str) and not re.search(re.sub(r"(?<!\\)\$$", r"\\Z", pattern), text):
        yield jsonschema.ValidationError(f"{text!r} does not match {pattern!r}")


@cache
def validator() -> Any:
    kind: Any = validators.extend(jsonschema.Draft202012Validator, {"pattern": ends_at_the_end})
    return kind(builtins().language_schema())


def by_schema(spec: Any) -> bool:
    return bool(validator().is_valid(spec))


def by_walker(spec: Any) -> bool:
    """What `lint` says, but for the codes in `differs_on_purpose`."""
    root, found = parse(Source("f", json.dumps(spec)))
    assert root is not None
    assert not found
    return not [finding for finding in check(root, builtins().language_schema()).diagnostics if finding.code not in NOT_SHAPE]


def by_pydantic(spec: Any) -> bool:
    """Strict, for lint has refused by then what pydantic would be kind enough to convert; as JSON, where a list may be a tuple."""
    try:
        typed = Spec.model_validate_json(json.dumps(whole(spec)), strict=True)
        waiting = list(steps(typed))
        for step in waiting:
            kind = next(kind for kind in kinds(step) if step.uses in builtins().names(kind))
            waiting += steps(builtins().config_class(kind, step.uses).model_validate_json(json.dumps(step.fields), strict=True))
            if not owned_keys_are_right(step, kind):
                return False
    except (ValidationError, StopIteration):
        return False
    return True


NOT_SHAPE = frozenset({"D109"})
"""`${env:…}` outside of a secret: a rule about what a text says, which the walker checks on its way."""


def owned_keys_are_right(step: Uses, kind: str) -> bool:
    """What the schema says of the section's own keys by kind of plugin, and one pydantic class for both kinds cannot."""
    if isinstance(step, ModelStep):
        return (kind == "students") == (step.from_ is not None) and not (kind == "teachers" and "from_" in step.model_fields_set)
    if kind == "generators" and "decoding" in step.model_fields_set:
        return any(marked.mark == "model" for marked in marked_fields(builtins().config_schema(kind, step.uses)))
    return True


def version_is_wrong(spec: Any) -> bool:
    """The version of the language is a rule's business (D110): the walker lets any through, to go on with the rest."""
    return spec.get("distill") != 1 or isinstance(spec["distill"], bool)


LITERAL_NUMBERS = ("distill", "accuracy_level")


def true_for_one(value: Any) -> bool:
    """`accuracy_level: true`: pydantic's `Literal[1, 2]` takes it for 1, Python's equality being what it is."""
    if isinstance(value, dict):
        return any((key in LITERAL_NUMBERS and isinstance(inner, bool)) or true_for_one(inner) for key, inner in value.items())
    return isinstance(value, list) and any(true_for_one(inner) for inner in value)


def no_float_holds(value: Any) -> bool:
    """A number of 309 digits has a place in JSON, and in a field of ours that is computed with none."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (isinstance(value, int) and abs(value) > sys.float_info.max) or any(map(no_float_holds, inner))


def whole(value: Any) -> Any:
    """2.0 as 2: a whole number to JSON Schema and to YAML's readers, and to pydantic in strict mode none."""
    if isinstance(value, dict):
        return {key: whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def steps(part: Any) -> Iterator[Uses]:
    if isinstance(part, Uses):
        yield part
    inner: Any = [getattr(part, name) for name in type(part).model_fields] if isinstance(part, BaseModel) else ()
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list | tuple) else inner
    for each in inner:
        yield from steps(each)


def kinds(step: Uses) -> list[str]:
    extra = type(step).model_config.get("json_schema_extra")
    assert isinstance(extra, dict)
    found: Any = extra["x-distillc-uses"]
    return list(found)


def agree(spec: Any) -> bool:
    """Asserts that all say the same; says what."""
    verdict = by_schema(spec)
    if no_float_holds(spec):
        assert verdict or version_is_wrong(spec) or not by_walker(spec), "the walker"
        return False
    assert version_is_wrong(spec) or by_walker(spec) == verdict, "the walker"
    assert true_for_one(spec) or by_pydantic(spec) == verdict, "pydantic"
    return verdict


chances = st.randoms(use_true_random=False)
quick = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=ALL_CHECKS, print_blob=False)


def right_spec(chance: random.Random) -> dict[str, Any]:
    return Maker(builtins().language_schema(), chance).spec()


@quick
@given(chances)
def test_specs_made_of_the_schema_are_right_to_all(chance):
    spec = right_spec(chance)
    assert agree(spec) or "trackers" in spec  # no tracker is built in


@quick
@given(chances)
def test_they_agree_on_specs_with_one_thing_changed(chance):
    agree(changed(right_spec(chance), chance))


@quick
@given(chances)
def test_they_agree_on_specs_with_several_things_changed(chance):
    spec = right_spec(chance)
    for _ in range(4):
        spec = changed(spec, chance) if spec else spec
    agree(spec)


@pytest.mark.soak
@settings(max_examples=20_000, deadline=None, suppress_health_check=ALL_CHECKS)
@given(chances)
def test_they_agree_on_many_more(chance):
    agree(changed(right_spec(chance), chance))
