import math
import time

import pytest

from distillc.spec.edit import apply
from distillc.spec.nodes import MappingNode, ScalarNode, at, to_plain
from distillc.spec.parse import parse
from distillc.spec.scalars import scalar_value
from distillc.spec.source import MAX_BYTES, Source, decode


def root_of(text: str) -> MappingNode:
    root, found = parse(Source("f", text))
    assert isinstance(root, MappingNode) and not found
    return root


def codes(text: str) -> list[str]:
    return [diagnostic.code for diagnostic in parse(Source("f", text))[1]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # yaml.org/spec/1.2.2, example 10.3 and the tables of 10.3.2; what 1.1 reads otherwise
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("true", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("~", None),
        ("null", None),
        ("", None),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-12", -12),
        ("+7", 7),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5E-1", -0.05),
        ("12:30:45", "12:30:45"),
        ("2002-12-14", "2002-12-14"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        (".", "."),
        ("0b11", "0b11"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text, value):
    found = scalar_value(text)
    assert (type(found), found) == (type(value), value)


def test_nan_is_a_number():
    assert str(scalar_value(".NaN")) == "nan"


def test_quotes_make_a_text():
    assert to_plain(root_of("a: '10'\nb: \"true\"\nc: |\n  10\n")) == {"a": "10", "b": "true", "c": "10\n"}


def test_keys_and_values_know_their_place():
    root = root_of('a:\n  "b c": [1,\n    {d: é文x}]  # end\n')
    block = root.get("a")
    assert isinstance(block, MappingNode)
    entry = block.entries["b c"]
    assert (entry.key_span.line, entry.key_span.column, entry.key_span.end_column) == (2, 3, 8)
    inner = at(root, "a", "b c", 1, "d")
    assert isinstance(inner, ScalarNode)
    assert (inner.span.line, inner.span.column, inner.span.end_line, inner.span.end_column) == (3, 9, 3, 12)
    outer = entry.value.span
    assert (outer.line, outer.column, outer.end_line, outer.end_column) == (2, 10, 3, 14)
    # a block mapping ends with its last value, not where the next token starts
    assert (block.span.end_line, block.span.end_column) == (3, 14)


def test_carriage_returns_end_lines():
    assert [entry.key_span.line for entry in root_of("a: 'x'\r\nb: 2\rc: 3\n")] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1", ["D001"]),
        ("a: @x", ["D001"]),
        ("a:\n\tb: 1", ["D003"]),
        ("a: \x00", ["D002"]),
        ("a: \ud800", ["D002"]),
        ("a: \x1b[31m", ["D002"]),
        ("", ["D013"]),
        ("# nothing", ["D013"]),
        ("a: 1\na: 2\na: 3", ["D008", "D008"]),
        ("a: !!int 3", ["D009"]),
        ("%TAG ! tag:x,2000:\n---\na: 1", ["D009"]),
        ("? [x]\n: 1", ["D010"]),
        ("'': 1", ["D010"]),
        ("a: &x {b: 1}\nc: {<<: *x}", ["D011"]),
        ("a: 1\n---\nb: 2", ["D012"]),
        ("a: *nowhere", ["D007"]),
        ("a: &x [*x]", ["D007"]),
        ("a: &x 1\nb: [" + "*x, " * 101 + "]", ["D007"]),
        ("a: " + "[" * 64, ["D005"]),
        ("a: 1\n'a': 2", ["D008"]),
    ],
)
def test_what_is_wrong_becomes_a_finding(text, expected):
    assert codes(text) == expected


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("a: {b: ${c.d}}", 'a: {b: "${c.d}"}'),
        ("a: {b: dist/${c.d}/x y , e: 1}", 'a: {b: "dist/${c.d}/x y" , e: 1}'),
        ("a: [8,${c.d}${e.f}, 9]", 'a: [8,"${c.d}${e.f}", 9]'),
        ("a: [one\n  ${c}]", None),
        ("a: {b: ${c", None),
        ("a: {b: ${c}${d", None),
        ("a: {b: ${c}, d: ${e}}", 'a: {b: "${c}", d: ${e}}'),  # one after the other
        ('a: {b: ${}}"}}, c: d}', None),  # the line is no YAML with quotes either
    ],
)
def test_a_reference_without_quotes_between_braces_is_called_by_its_name(text, fixed):
    source = Source("f", text)
    (finding,) = parse(source)[1]
    assert finding.message == "`${…}` needs quotes between braces or brackets" and finding.span
    assert text[source.offset(finding.span.line, finding.span.column) :].startswith("${")
    assert (apply(source, [finding.fix])[0] if finding.fix else None) == fixed


def test_63_lists_in_a_mapping_are_deep_enough():
    assert codes("a: " + "[" * 63 + "]" * 63) == []


def test_an_alias_counts_as_all_that_it_stands_for_in_depth_too():
    deep = "[" * 40 + "]" * 40
    assert codes(f"a: &x {deep}\nb: {'[' * 20}*x{']' * 20}") == []
    assert codes(f"a: &x {deep}\nb: {'[' * 30}*x{']' * 30}") == ["D005"]


def test_aliases_that_multiply_end_at_the_limit_of_nodes():
    lines = ["a0: &a0 [" + "x, " * 9 + "]"]
    lines += [f"a{n}: &a{n} [" + f"*a{n - 1}, " * 9 + "]" for n in range(1, 9)]
    assert codes("\n".join(lines)) == ["D006"]


@pytest.mark.parametrize("part", ["[", "{", "- ", "? ", "[a, ", "!", "&a ", '"', "*a ", "a: {b: "])
def test_hostile_text_of_a_megabyte_is_refused_at_once(part):
    start = time.process_time()
    assert codes(part * (999_000 // len(part)))
    assert time.process_time() - start < 2  # 0.02 s; quadratic work would take minutes


def test_bytes_that_are_no_text_are_findings_with_a_place():
    text, found = decode(b"a: 1\nb: \xff", "f")
    assert text == "" and [(d.code, d.span and (d.span.line, d.span.column)) for d in found] == [("D002", (2, 4))]
    assert [d.code for d in decode(b" " * (MAX_BYTES + 1), "f")[1]] == ["D004"]
    assert decode(b"\xef\xbb\xbfa: 1", "f") == ("a: 1", [])
    assert codes("é" * 600_000) == ["D004"]


@pytest.mark.parametrize(
    ("text", "path", "shown"),
    [
        ("a: &x 12", ("a",), "12"),
        ("a: !t 'b c'", ("a",), "'b c'"),
        ("a: &x !t # why\n  12", ("a",), "12"),
        ("a: &x\nb: 1", ("a",), ""),
        ("a: &x {b: 1}", ("a",), "{b: 1}"),
        ("a: &x [b]", ("a",), "[b]"),
        ("a: &x\n  b: 1\n  c: 2 # end\n", ("a",), "b: 1\n  c: 2"),
        ("a: &x\n  &k b: 1", ("a",), "&k b: 1"),
        ("a: &x\n- b\n- c\n", ("a",), "- b\n- c"),
        ("a: &x\n  - b\n", ("a",), "- b"),
        ("&x\na: 1\n", (), "a: 1"),
    ],
)
def test_an_anchor_and_a_tag_stand_before_the_value_not_in_it(text, path, shown):
    source = Source("f", text)
    root, _ = parse(source)
    node = at(root, *path)
    assert node is not None
    start, end = source.offset(node.span.line, node.span.column), source.offset(node.span.end_line, node.span.end_column)
    assert text[start:end] == shown
