"""`${section.name.field}` becomes the value that stands there; what is wrong with it is one finding at its place, and nothing raises."""

from typing import Any

import pytest

from distillc.spec.interpolate import MAX_CHAIN, Filled, Interpolation
from distillc.spec.nodes import MappingNode, at, to_plain
from distillc.spec.parse import parse
from distillc.spec.source import Source


def fill(text: str, secrets: Any = ()) -> Filled:
    source = Source("distill.yaml", text)
    root, wrong = parse(source)
    assert isinstance(root, MappingNode) and not wrong
    return Interpolation({"distill.yaml": source}).fill(root, secrets)


def plain(text: str) -> Any:
    filled = fill(text)
    assert filled.diagnostics == ()
    return to_plain(filled.root)


def shown(text: str, secrets: Any = ()) -> list[tuple[str, str, int, int]]:
    """Code, message, and the columns of the place."""
    return [(d.code, d.message, d.span.column, d.span.end_column) for d in fill(text, secrets).diagnostics if d.span]


@pytest.mark.parametrize(
    ("written", "value"),
    [("3", 3), ("2.50", 2.5), ("true", True), ("null", None), ("'3'", "3"), ("[1, two]", [1, "two"]), ("{a: {b: 1}}", {"a": {"b": 1}})],
)
def test_a_value_keeps_its_type(written, value):
    assert plain(f"train: {{a: {{x: {written}}}}}\nname: '${{train.a.x}}'") == {"train": {"a": {"x": value}}, "name": value}


def test_inside_a_text_a_value_stands_as_it_was_written():
    assert plain("a: {rate: 1.0e-4, on: true, name: x}\nb: 'r=${a.rate} ${a.on}/${a.name}'")["b"] == "r=1.0e-4 true/x"


def test_references_lead_to_references_in_any_order():
    assert plain("a: '${b}'\nb: '<${c.d}>'\nc: {d: '${e}'}\ne: 1")["a"] == "<1>"


def test_the_way_to_a_value_may_lead_over_a_reference():
    assert plain("a: {b: '${c}'}\nc: {d: {e: 5}}\nf: '${a.b.d.e}'")["f"] == 5


def test_items_of_a_list_count_from_0_and_a_bare_plugin_has_uses():
    found = plain("a: [x, y]\nb: '${a.1}'\nc: {d: local}\ne: '${c.d.uses}'")
    assert (found["b"], found["e"]) == ("y", "local")


def test_a_second_dollar_makes_it_a_text():
    assert plain("a: 1\nb: '$${a} $${ ${a}'")["b"] == "${a} ${ 1"


def test_secrets_profiles_and_the_matrix_stay_as_they_are():
    text = "k: '${env:KEY}'\nprofiles: {p: {a.b: '${x}'}}\nmatrix: {vary: {a.b: ['${x}']}}\nextends: '${x}'"
    assert plain(text)["k"] == "${env:KEY}" and plain(text)["matrix"] == {"vary": {"a.b": ["${x}"]}}


def test_what_holds_no_reference_is_the_same_object():
    source = Source("distill.yaml", "a: {b: 1}\nc: {d: '${a.b}', e: {f: [1]}}")
    root, _ = parse(source)
    assert isinstance(root, MappingNode)
    filled = Interpolation({"distill.yaml": source}).fill(root).root
    assert filled.get("a") is root.get("a") and at(filled, "c", "e") is at(root, "c", "e")


def test_what_is_the_same_in_two_variants_is_the_same_object():
    source = Source("distill.yaml", "train: {a: {x: '${seed}', y: [1]}, b: {x: '<${name}>'}}\nseed: 1\nname: n")
    root, _ = parse(source)
    other, _ = parse(Source("distill.yaml", "seed: 2"))
    assert isinstance(root, MappingNode) and isinstance(other, MappingNode)
    second = MappingNode({**root.entries, "seed": other.entries["seed"]}, root.span)
    interpolation = Interpolation({"distill.yaml": source})
    one, two = interpolation.fill(root).root, interpolation.fill(second).root
    assert at(one, "train", "b") is at(two, "train", "b") and at(one, "train", "a") is not at(two, "train", "a")
    assert interpolation.fill(root).root.get("train") is one.get("train")


def test_a_value_knows_where_it_comes_from():
    filled = fill("a: 1\nb: '${a}'\nc: '${b}'")
    labels = {span.line: [(label.span.line, label.message) for label in labels] for span, labels in filled.origins.items()}
    assert labels == {2: [(1, "`a` stands here")], 3: [(2, "`b` stands here"), (1, "`a` stands here")]}
    value = filled.root.get("c")
    assert value is not None and value.span.line == 3


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("a: {epochs: 1}\nb: '${a.epoch}'", ("D024", "there is no value at `a.epoch`", 7, 14)),
        ("a: {epochs: 1}\nb: two ${a.epochs.x} more", ("D024", "there is no value at `a.epochs.x`", 10, 20)),
        ("b: 'it''s ${q}'", ("D024", "there is no value at `q`", 13, 14)),
        ("b: '${a b}'", ("D026", "`${a b}` does not name a value", 7, 10)),
        ("b: '${}'", ("D026", "`${}` does not name a value", 5, 7)),
        ("b: 'x ${a'", ("D026", "`${` is not closed", 7, 9)),
        ("a: [1]\nb: 'x ${a}'", ("D026", "`a` is a list, and no part of a text", 9, 10)),
        ("a:\nb: 'x ${a}'", ("D026", "`a` is nothing, and no part of a text", 9, 10)),
        ("profiles: {}\nb: '${profiles}'", ("D026", "no reference leads into `profiles`", 7, 15)),
    ],
)  # fmt: skip
def test_a_reference_that_leads_nowhere_is_one_finding_at_its_path(text, finding):
    assert shown(text) == [finding]


def test_the_nearest_path_is_offered_and_written_by_the_fix():
    (found,) = fill("train: {teacher: {epochs: 1}}\nb: '${train.techer.epochs}'").diagnostics
    assert found.help == "did you mean `train.teacher.epochs`?" and found.fix and found.fix.applicability == "unsafe"
    assert [(edit.text, edit.span) for edit in found.fix.edits] == [("train.teacher.epochs", found.span)]


def test_a_secret_of_a_kind_that_is_misspelt_is_told_the_kind():
    (found,) = fill("a: '${evn:TOKEN}'").diagnostics
    assert (found.code, found.help) == ("D026", "did you mean `${env:TOKEN}`?")
    (found,) = fill("a: '${vault:TOKEN}'").diagnostics
    assert found.help and found.help.startswith("write `${section.name.field}`")


def test_a_block_text_has_the_place_of_its_reference():
    (found,) = fill("p: |\n  one\n  two ${q.r} three\n").diagnostics
    assert found.span and (found.span.line, found.span.column, found.span.end_column) == (3, 9, 12)


@pytest.mark.parametrize(
    ("text", "loop"),
    [
        ("a: {x: '${a.y}', y: '${a.z}', z: '${a.x}', q: '${a.x}'}", "a.x → a.y → a.z → a.x"),
        ("a: {x: '${a}'}", "a.x → a.x"),
        ("a: {x: '${a.x}'}", "a.x → a.x"),
        ("a: {x: '${a.x.y}'}", "a.x → a.x"),
        ("b: '${a.x}'\na: {x: 'q ${a.y}', y: '${a.x}'}", "a.x → a.y → a.x"),
    ],
)
def test_a_loop_is_one_finding_that_prints_it(text, loop):
    assert [(code, message) for code, message, *_ in shown(text)] == [("D025", f"values refer to one another in a loop: {loop}")]


def test_no_reference_leads_to_a_secret_or_to_what_has_one():
    text = "m: {a: {key: '${env:K}', n: 1}}\nb: '${m.a.key}'\nc: '${m.a}'\nd: '${m.a.n}'"
    found = shown(text, [("m", "a", "key")])
    assert [(code, message) for code, message, *_ in found] == [
        ("D026", "`m.a.key` is a secret, or has one in it"),
        ("D026", "`m.a` is a secret, or has one in it"),
    ]


def bomb(before: str, between: str, after: str) -> str:
    """Twelve levels, each of which holds the next ten times over."""
    levels = [f"a{i}: {before}{between.join([f'${{a{i + 1}}}'] * 10)}{after}" for i in range(12)]
    return "\n".join([*levels, "a12: lol"])


def test_texts_that_multiply_are_stopped():
    (found,) = fill(bomb('"', "", '"')).diagnostics
    assert found.code == "D026" and "1,000,000 characters" in found.message


def test_lists_that_multiply_are_stopped():
    (found,) = fill(bomb('["', '", "', '"]')).diagnostics
    assert found.code == "D026" and "100,000 values" in found.message


def test_a_long_way_is_stopped_and_no_longer_one_than_allowed():
    chain = "\n".join([f"a{i}: '${{a{i + 1}}}'" for i in range(MAX_CHAIN)])
    assert plain(f"{chain}\na{MAX_CHAIN}: end")["a0"] == "end"
    (found,) = fill(f"{chain}\na{MAX_CHAIN}: '${{b}}'\nb: end").diagnostics
    assert (found.code, found.span.line if found.span else None) == ("D026", MAX_CHAIN + 1)


def test_what_nests_too_deeply_is_refused():
    deep = "{x: " * 40 + "1" + "}" * 40
    outer = "{x: " * 40 + "'${b}'" + "}" * 40
    (found,) = fill(f"a: {outer}\nb: {deep}").diagnostics
    assert found.code == "D026" and "nests too deeply" in found.message


def test_a_text_that_failed_stays_and_its_place_is_known():
    filled = fill("a: '${q}'")
    assert to_plain(filled.root) == {"a": "${q}"}
    assert [(span.line, span.column) for span in filled.failed] == [(1, 4)]
