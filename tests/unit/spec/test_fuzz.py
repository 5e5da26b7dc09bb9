"""The front end answers every text with findings, never with an exception."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from distillc.spec.lint import lint, load
from distillc.spec.render import FORMATS, render
from distillc.spec.source import decode
from tests.unit.spec.conftest import FakeTable

TABLE = FakeTable()
WORDS = st.sampled_from(
    ["distill", "name", "task", "kind", "generate", "from", "steps", "uses", "answer", "model", "models", "prune", "train", "losses",
     "evaluate", "gates", "metrics", "data", "profiles", "a", "a.b", "a.test", "${env:X}", "<<", "models.a.layers", "matrix", "vary",
     "extends", "deploy", "needs", "prompt", "input", "early_stopping", "lint", "ignore", "", "é文\u0301", "\x1b[31m"]
)  # fmt: skip
SCALARS = st.one_of(WORDS, st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
VALUES = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=5)), max_leaves=30
)
SECTIONS = st.sampled_from(
    ["data", "generate", "curate", "models", "train", "quantize", "choose", "evaluate", "deploy", "profiles", "matrix"]
)


def all_ways(text: str) -> None:
    linted = lint(text, "f", TABLE, "a", ["models.a.layers=1", "x", "a.b=[", text[:40]], every_profile=True, read=lambda path: b"{}")
    for form in FORMATS:
        shown = render(form, linted.diagnostics, linted.sources)
        assert "\x1b" not in shown
    if linted.resolved is not None and not linted.failed:
        load(linted.resolved)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text(text):
    all_ways(text)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="a:-?[]{},&*!|>'\"%@` \n\t#<.1", max_size=80))
def test_text_of_yaml_signs(text):
    all_ways(text)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=100))
def test_any_bytes(data):
    text, found = decode(data, "f")
    assert text == "" or not found


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(SECTIONS, st.dictionaries(WORDS, VALUES, max_size=3), max_size=6))
def test_well_formed_nonsense(spec):
    head = '"distill": 1, "name": "x", "task": {"kind": "generate", "input": "t", "target": "u", "prompt": "{{ t }}"}'
    body = json.dumps(spec)[1:-1]
    all_ways("{" + head + (", " + body if body else "") + "}")
