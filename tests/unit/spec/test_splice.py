"""Values set in the text of a spec: what they are, and that nothing beside them changes."""

import re
from pathlib import Path

import pytest
import yaml

from distillc.spec.diagnostic import Span
from distillc.spec.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode, entries
from distillc.spec.parse import parse
from distillc.spec.resolve import Stop, override_assignment
from distillc.spec.source import Source
from distillc.spec.splice import with_value, without

SECTIONS = ("seed", "decoding", "data", "train", "models", "curate", "x")
GRAMMAR = Path(__file__).parents[3] / "examples" / "grammar" / "distill.yaml"
HERE = Span("f", 1, 1, 1, 2)


def root_of(text: str) -> MappingNode:
    root, found = parse(Source("f", text))
    assert isinstance(root, MappingNode) and not found
    return root


def with_(text: str, override: str) -> str:
    assignment = override_assignment(override, 0, {})
    return with_value(Source("f", text), root_of(text), assignment, override.partition("=")[2].strip(), SECTIONS)


def taken(text: str, path: str) -> str:
    return without(Source("f", text), root_of(text), path.split("."), HERE)


@pytest.mark.parametrize(
    ("before", "override", "after"),
    [
        # a value in the place of another, as it was typed
        ("seed: 1   # why\n", "seed=0x10", "seed: 0x10   # why\n"),
        ("seed: 1", "seed=2", "seed: 2"),
        ('x: {a: "1", b:   2}\n', "x.b=1.0e-4", 'x: {a: "1", b:   1.0e-4}\n'),
        ("x: 'a'\n", "x='b'", "x: 'b'\n"),
        ("x:   # none yet\n", "x=1", "x: 1   # none yet\n"),
        ("x: ~\n", "x=1", "x: 1\n"),
        ("x: [a, b]\n", "x.1=c", "x: [a, c]\n"),
        ("x:\n- a   # one\n- b\n", "x.0=c", "x:\n- c   # one\n- b\n"),
        ("x: |\n  one\n  two\nseed: 1\n", "x=three", "x: three\nseed: 1\n"),
        # where the typed text cannot stand, another spelling of the same value
        ("x: {a: 1}\n", "x.a=b, c", 'x: {a: "b, c"}\n'),
        ("x: {a: 1}\n", "x.a=2 # two", "x: {a: 2}\n"),
        ("x: 1\n", "x=a: b", "x: {a: b}\n"),
        ("x: [1]\n", "x.0=- 1e3", "x: [[1e3]]\n"),
        ("x: 1\n", "x=", "x: null\n"),
        # blocks go up beside their key; the comments around them stay
        ("x:   # both\n  # of them\n  a: 1\n  b: 2\nseed: 1\n", "x=3", "x: 3   # both\n  # of them\nseed: 1\n"),
        ("x:\n- 1\n- 2\nseed: 1\n", "x=[3]", "x: [3]\nseed: 1\n"),
        ("x:\n  {a: 1,\n   b: 2}\n", "x={c: 3}", "x:\n  {c: 3}\n"),
        # what is not there yet, with the indentation that is there
        ("x:\n    a: 1   # one\n    # the end\nseed: 1\n", "x.b=2", "x:\n    a: 1   # one\n    b: 2\n    # the end\nseed: 1\n"),
        ("x: {a: 1}\n", "x.b=2", "x: {a: 1, b: 2}\n"),
        ("x: {a: 1, }\n", "x.b=2", "x: {a: 1, b: 2, }\n"),
        ("x: {a: }\n", "x.b=2", "x: {a: , b: 2}\n"),
        ("x: {a}\n", "x.b=2", "x: {a, b: 2}\n"),
        ("x: {\n  a: 1,\n  c: 2  # two\n}\n", "x.b=2", "x: {\n  a: 1,\n  c: 2,  # two\n  b: 2\n}\n"),
        ("x: {\n  a: 1,\n  c: 2,\n}\n", "x.b=2", "x: {\n  a: 1,\n  c: 2, b: 2,\n}\n"),
        ("x: {}\n", "x.b=2", "x: {b: 2}\n"),
        ("x:\n", "x.b.c=2", "x: {b: {c: 2}}\n"),
        ("x:\n- a: 1\n  b: 2\n", "x.0.c=3", "x:\n- a: 1\n  b: 2\n  c: 3\n"),
        ("x: 1", "decoding.max_tokens=2", "x: 1\ndecoding: {max_tokens: 2}"),
        ("x: 1\n\nseed: 1\n", "decoding.max_tokens=2", "x: 1\n\nseed: 1\n\ndecoding: {max_tokens: 2}\n"),
        ("x:\r\n  a: 1\r\nseed: 1\r\n", "x.b=2", "x:\r\n  a: 1\r\n  b: 2\r\nseed: 1\r\n"),
        ("x:\r\n  a: 1\r\nseed: 1\r\n", "x=2", "x: 2\r\nseed: 1\r\n"),
        # a bare name stands for the plugin of that name
        ("train: {s: {losses: {hard: cross_entropy}}}\n", "train.s.losses.hard.weight=0.5", None),
        # an alias is replaced like any value, and what its anchor marks stays
        ("x: &a {b: 1}\nseed: *a   # the same\n", "seed=2", "x: &a {b: 1}\nseed: 2   # the same\n"),
        ("x: &a {b: 1}\nseed: *a\n", "decoding=2", "x: &a {b: 1}\nseed: *a\ndecoding: 2\n"),
        ("x: {a: &a [1], b: *a}\n", "x.c=2", "x: {a: &a [1], b: *a, c: 2}\n"),
    ],
)
def test_one_value_is_set_and_nothing_else(before, override, after):
    expected = after or "train: {s: {losses: {hard: {uses: cross_entropy, weight: 0.5}}}}\n"
    assert with_(before, override) == expected


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        ("x: {a: 1, b: 2}\n", "x.a", "x: {b: 2}\n"),
        ("x: {a: 1, b: 2}  # two\n", "x.b", "x: {a: 1}  # two\n"),
        ("x: {a: 1}\n", "x.a", "x: {}\n"),
        ("x: [1, 2, 3]\n", "x.1", "x: [1, 3]\n"),
        ("x: [1]\n", "x.0", "x: []\n"),
        ("x:\n- 1   # one\n- 2\n", "x.0", "x:\n- 2\n"),
        ("x:\n- 1\n- 2\n", "x.1", "x:\n- 1\n"),
        ("x:\n  a: 1   # one\n  # two\n  b: 2\n", "x.a", "x:\n  # two\n  b: 2\n"),
        ("x:\n  a: 1\nseed: 1\n", "x.a", "x: {}\nseed: 1\n"),
        ("x:\n- a: 1\n  b: 2\n", "x.0.a", "x:\n- b: 2\n"),
        ("x: {\n  a: 1,  # one\n  b: 2\n}\n", "x.a", "x: {\n  b: 2\n}\n"),
        ("x: {\n  a: 1,\n  b: 2\n}\n", "x.b", "x: {\n  a: 1,\n}\n"),
        ("seed: 1\n\nx:\n  a: 1\n\nz: 2\n", "x", "seed: 1\n\nz: 2\n"),
        ("seed: 1\nx:\n  a: |\n    one\n    two", "x", "seed: 1"),
        ("seed: 1\r\nx: 2\r\nz: 3\r\n", "x", "seed: 1\r\nz: 3\r\n"),
        ("x: &a {b: 1}\nseed: *a\nz: 1\n", "seed", "x: &a {b: 1}\nz: 1\n"),
    ],
)
def test_one_value_is_taken_away_and_nothing_else(before, path, after):
    assert taken(before, path) == after


@pytest.mark.parametrize(
    ("before", "override", "why"),
    [
        ("x: &a {b: 1}\nseed: *a\n", "x.b=2", "by an alias"),
        ("x: &a {b: 1}\nseed: *a\n", "x=2", "by an alias"),
        ("x: {a: &a {b: 1}, c: *a}\n", "x.c.b=2", "`c` repeats a value"),
        ("x: [&a {b: 1}, *a]\n", "x.1.b=2", "by an alias"),
        ("? x\n: {a: 1}\n", "x=2", "not written as `key: value`"),
        ("x: 1\n", "xx.y=2", "there is no section `xx`"),
        ("x: [1]\n", "x.1=2", "the list has no item `1`"),
    ],
)
def test_what_would_change_more_than_one_value_is_refused(before, override, why):
    with pytest.raises(Stop) as caught:
        with_(before, override)
    assert why in caught.value.diagnostic.message


@pytest.mark.parametrize("path", ["x.b", "x.a.0", "y"])
def test_what_is_not_there_cannot_be_taken_away(path):
    with pytest.raises(Stop):
        taken("x: {a: {c: 1}}\n", path)


def places(node: Node, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Node]]:
    """Every value of a spec with its path, but for profiles, whose keys are paths themselves."""
    found = [(path, node)] if path else []
    inner: list[tuple[str, Entry | Node]] = [(entry.key, entry.value) for entry in entries(node)]
    if isinstance(node, SequenceNode):
        inner = [(str(number), item) for number, item in enumerate(node.items)]
    for key, below in inner:
        if (path, key) != ((), "profiles") and not isinstance(below, Entry):
            found += places(below, (*path, key))
    return found


def example() -> str:
    """Without its anchors: what others repeat is refused, as above."""
    return re.sub(r"(?<=: )[*]\w+", "local", re.sub(r"(?<=: )&\w+ ", "", GRAMMAR.read_text(encoding="utf-8")))


def test_each_value_of_the_example_can_be_set_with_every_byte_around_it_kept():
    text = example()
    source, root = Source("f", text), root_of(text)
    checked = 0
    for path, node in places(root):
        if path[0] in ("distill",) or not isinstance(node, ScalarNode):
            continue
        assignment = override_assignment(f"{'.'.join(path)}=12345", 0, {})
        new = with_value(source, root, assignment, "12345", root.entries)
        start = source.offset(node.span.line, node.span.column)
        end = source.offset(node.span.end_line, node.span.end_column)
        assert new == f"{text[:start]}12345{text[end:]}"
        checked += 1
    assert checked > 140


def test_each_key_of_the_example_can_be_taken_away_and_another_reader_agrees():
    text = example()
    root = root_of(text)
    for path, _ in places(root):
        expected = yaml.safe_load(text)
        inner = expected
        for part in path[:-1]:
            inner = inner[int(part)] if isinstance(inner, list) else inner[part]
        del inner[int(path[-1]) if isinstance(inner, list) else path[-1]]
        new = taken(text, ".".join(path))
        assert yaml.safe_load(new) == expected, path
        assert sum(line not in text for line in new.splitlines()) <= 1, path
