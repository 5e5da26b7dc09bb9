"""Fixes do what they say, and nothing else: on texts by hand, and on every sample of the linter in other dresses."""

import os
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from distillc.compiler.lint import lint_file as lint_all
from distillc.plugins.registry import load as load_plugins
from distillc.spec.diagnostic import Diagnostic, Edit, Fix, Severity, Span
from distillc.spec.edit import MAX_ROUNDS, Change, apply, diff, mend, settle
from distillc.spec.lint import Linted, lint_file
from distillc.spec.nodes import MappingNode, to_plain
from distillc.spec.parse import parse
from distillc.spec.source import Source

FOLDER = Path(__file__).parents[2] / "diagnostics"
SAMPLES = sorted(FOLDER.glob("*.yaml"))
HEAD = 'distill: 1\nname: x\ntask: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}\n'
MODEL = HEAD + "models: {small: harper}\n"


def edit(source: Source, old: str, new: str) -> Edit:
    start = source.text.index(old)
    return Edit(source.span(start, start + len(old)), new)


def fixed(source: Source, *fixes: Fix) -> str:
    return apply(source, fixes)[0]


def settled(source: Source, *edits: Edit) -> Fix | None:
    finding = Diagnostic("D101", Severity.ERROR, "bad", source.span(0, 1), fix=Fix("mend", edits))
    return settle(finding, {source.name: source}).fix


def all_fixed(text: str, table, *, unsafe: bool = False) -> str:
    files = {"f": text}
    mended = in_memory(files, table, ["f"], unsafe=unsafe)
    return {change.name: change.after for change in mended.changes}.get("f", text)


def in_memory(files: dict[str, str], table, names: list[str], *, unsafe: bool = False):
    def read(path: Path) -> bytes:
        if str(path) not in files:
            raise FileNotFoundError(2, "No such file or directory")
        return files[str(path)].encode()

    def check(name: str, current) -> Linted:
        return lint_file(Path(name), table, every_profile=True, read=current)

    return mend(names, check, read, os.path.normpath, unsafe=unsafe)


# what an edit does


def test_edits_replace_insert_and_delete_and_leave_the_rest():
    source = Source("f", "a: 1\r\nb: 2 # why\nc: 3\n")
    fix = Fix("mend", (edit(source, "a", "x"), edit(source, "2", ""), Edit(source.span(17, 17), "d: 4\n")))
    assert fixed(source, fix) == "x: 1\r\nb:  # why\nd: 4\nc: 3\n"


def test_of_fixes_that_meet_the_first_wins():
    source = Source("f", "abcdef")
    first, second, third = (Fix("mend", (edit(source, old, old.upper()),)) for old in ("abc", "cd", "ef"))
    assert apply(source, [third, second, first]) == ("ABCdEF", 2)


def test_of_two_insertions_at_one_place_one_waits():
    source = Source("f", "ab")
    place = source.span(1, 1)
    assert apply(source, [Fix("x", (Edit(place, "x"),)), Fix("y", (Edit(place, "y"),))]) == ("axb", 1)


def test_one_fix_of_two_findings_is_done_once():
    source = Source("f", "ab")
    assert apply(source, [Fix("x", (Edit(source.span(1, 1), "x"),))] * 2) == ("axb", 1)


# what is done about a fix when its finding is made


def test_a_fix_in_another_file_or_in_what_was_set_is_none():
    source = Source("f", "a: 1\n")
    assert settled(source, Edit(Span("g", 1, 1, 1, 2), "b")) is None
    assert settled(Source("--set", "a.b=1"), Edit(Span("--set", 1, 1, 1, 2), "b")) is None
    assert settled(source, edit(source, "1", "2")) is not None


def test_a_fix_that_would_take_a_comment_along_is_none_unless_the_comment_is_what_goes():
    source = Source("f", 'a: 1 # why\nb: "x # y"\n')
    assert settled(source, edit(source, "1 # why\nb", "2")) is None
    assert settled(source, edit(source, "# why", "")) is not None
    assert settled(source, edit(source, '"x # y"', "z")) is not None


def test_a_line_of_which_nothing_is_left_goes():
    source = Source("f", "a: 1\r\n  b: 2  \r\nc: 3 # why\n")
    fix = settled(source, edit(source, "b: 2", ""))
    assert fix and fixed(source, fix) == "a: 1\r\nc: 3 # why\n"
    fix = settled(source, edit(source, "c: 3", ""))
    assert fix and fixed(source, fix) == "a: 1\r\n  b: 2  \r\n # why\n"


def test_new_lines_end_as_the_lines_of_the_file_do():
    source = Source("f", "a: 1\r\n")
    fix = settled(source, Edit(source.span(0, 0), "b: 2\n"))
    assert fix and fixed(source, fix) == "b: 2\r\na: 1\r\n"


def test_edits_of_one_fix_that_meet_are_none():
    source = Source("f", "abc")
    assert settled(source, edit(source, "ab", "x"), edit(source, "bc", "y")) is None


# fixes of findings


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("name: x\n", "distill: 1\nname: x\n"),
        ("# a spec\n\nname: x\n", "# a spec\n\ndistill: 1\nname: x\n"),
        ("---\nname: x\n", "---\ndistill: 1\nname: x\n"),
        ("{name: x}\n", "{distill: 1, name: x}\n"),
        (HEAD + "seed: '8'\n", HEAD + "seed: 8\n"),
        (HEAD + "seed: 1_000 # many\n", HEAD + "seed: 1000 # many\n"),
        (HEAD.replace("name: x", "name: 7"), HEAD.replace("name: x", 'name: "7"')),
        (HEAD + "name: x\n", HEAD),
        (HEAD + "name: x  # again\n", HEAD + "  # again\n"),
        (HEAD.replace("input: text,", "input: text, input: text,"), HEAD),
        (HEAD + "decoding:\n  stop: [a]\n  stop:\n  - a\nseed: 1\n", HEAD + "decoding:\n  stop: [a]\nseed: 1\n"),
        (HEAD + "seed: &one 1 # why\n", HEAD + "seed: 1 # why\n"),
        (HEAD + "decoding: &d\n  &k stop: &s [&a a]\n", HEAD + "decoding:\n  stop: [a]\n"),
        (HEAD + "decoding: {stop: [&a a, *a, &a b]} # &a\n", HEAD + "decoding: {stop: [&a a, *a, b]} # &a\n"),
        (HEAD + "data: {d: {uses: jsonl, path: 'a\\\"b'}}\n", HEAD + 'data: {d: {uses: jsonl, path: "a/\\"b"}}\n'),
        (HEAD + "models:\n  m: {uses: random}\n  m: {uses: random}", HEAD + "models:\n  m: {uses: random}\n"),
    ],
)  # fmt: skip
def test_what_is_safe_is_mended(before, after, table):
    assert all_fixed(before, table) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD + "sed: 1\n", HEAD + "seed: 1\n"),
        (HEAD + '"sed": 1\n', HEAD + '"seed": 1\n'),
        (HEAD.replace("kind: generate", "kind: generat"), HEAD),
        (HEAD.replace("kind: generate", "kind: 'generat'"), HEAD.replace("kind: generate", "kind: 'generate'")),
        (HEAD + "models: {m: &a randm, n: *a}\n", HEAD + "models: {m: &a random, n: *a}\n"),
        (MODEL + "quantize: {q: {uses: gguf, from: smal}}\n", MODEL + "quantize: {q: {uses: gguf, from: small}}\n"),
        (HEAD.replace("{{ text }}", "{{ txt }}"), HEAD),
        (MODEL + "profiles: {p: {models.smal.license: MIT}}\n", MODEL + "profiles: {p: {models.small.license: MIT}}\n"),
        (MODEL + 'profiles: {p: {"model.small.license": MIT}}\n', MODEL + 'profiles: {p: {"models.small.license": MIT}}\n'),
        (MODEL + "profiles:\n  p:\n    'models.small.licens': MIT\n", MODEL + "profiles:\n  p:\n    'models.small.license': MIT\n"),
        (HEAD.replace(" {kind", "\n\t{kind"), HEAD.replace(" {kind", "\n  {kind")),
    ],
)  # fmt: skip
def test_a_guess_is_mended_only_when_guesses_are_asked_for(before, after, table):
    assert all_fixed(before, table) == before
    assert all_fixed(before, table, unsafe=True) == after


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "name: y\n",  # which of the two?
        HEAD + "seed: 1\nsed: 1\n",  # a second `seed`
        HEAD + '"s\\x65d": 1\n',  # escapes: the place of a letter is not known
        HEAD + "? name\n: x\n",
        HEAD + "decoding: {&it : 1}\n",  # an anchor that is all of a key
        HEAD + "decoding: {stop: [&it , a]}\n",
        HEAD + "# kept\nseed: 1\nseed:\n  # why\n  1\n",
        HEAD + "seed: 1\nseed: &one 1\ndecoding: {max_tokens: *one}\n",
        HEAD + "decoding:\n  stop:\n  - |+\n    a\nseed: 1\ndecoding:\n  stop:\n  - |+\n    a\n\n",
    ],
)
def test_what_is_not_sure_is_left_alone(text, table):
    assert all_fixed(text, table, unsafe=True) == text


def test_early_stopping_gets_its_validation_rows_in_both_styles(table):
    data = HEAD + "data: {d: {uses: docstrings, packages: [numpy], split: {validation: 1}}}\nmodels: {m: {uses: random}}\ntrain:\n"
    flow = "  s: {model: m, data: d, early_stopping: {patience: 2}, losses: {hard: cross_entropy}}\n"
    assert all_fixed(data + flow, table, unsafe=True) == data + flow.replace("early", "validation: d.validation, early")
    block = "  s:\n    model: m\n    data: d\n    early_stopping: {patience: 2} # soon\n    losses: {hard: cross_entropy}\n"
    assert all_fixed(data + block, table, unsafe=True) == data + block.replace("early", "validation: d.validation\n    early")


# files


def test_a_file_that_is_only_extended_is_not_touched(table):
    files = {"f": "extends: base\n" + HEAD, "base": "sed: 1\nseed: '8'\n"}
    assert in_memory(files, table, ["f"], unsafe=True).changes == []
    changed = in_memory(files, table, ["f", "base"]).changes
    assert {change.name for change in changed} == {"base"} and "seed: 8\n" in changed[0].after


def test_fixes_go_on_until_nothing_is_left_to_mend(table):
    text = HEAD + "quantizze: {q: {uses: ggufs, from: m, typ: q8_0}}\nmodels: {m: harper}\n"
    assert all_fixed(text, table, unsafe=True) == HEAD + "quantize: {q: {uses: gguf, from: m, type: q8_0}}\nmodels: {m: harper}\n"


def flip(old: str, new: str) -> Diagnostic:
    return Diagnostic("D999", Severity.ERROR, "bad", Span("f", 1, 4, 1, 5), fix=Fix("flip", (Edit(Span("f", 1, 4, 1, 5), new),)))


def test_fixes_that_undo_one_another_end():
    rounds = []

    def check(name, current):
        text = current(Path(name)).decode()
        rounds.append(text)
        finding = flip("1", "2") if "1" in text else flip("2", "1")
        return Linted(None, [finding], {"f": Source("f", text)})

    mend(["f"], check, lambda path: b"a: 1", str, unsafe=False)
    assert len(rounds) == MAX_ROUNDS + 1


def test_a_fix_that_makes_what_is_no_yaml_is_refused():
    def check(name, current):
        return Linted(None, [flip("1", "[")], {"f": Source("f", current(Path(name)).decode())})

    mended = mend(["f"], check, lambda path: b"a: 1", str, unsafe=False)
    assert mended.changes == [] and mended.refused == ["f"]


def test_guesses_that_are_right_one_by_one_and_not_together_are_taken_one_by_one(table):
    body = "data: {d: {uses: docstrings, packages: [email]}}\ngenerate:\n  g: {from: d, steps: [corrupt]}\n"
    text = HEAD + body + "profiles:\n  p:\n    generate.g.limt: 5\n    generate.h.limit: 6\n"
    assert all_fixed(text, table, unsafe=True) == text.replace("limt", "limit")  # with both there would be one key twice


def test_what_can_be_read_now_may_have_more_findings_than_what_could_not(table):
    text = HEAD + "decoding:\n\tmax_tokens: 8\n\tmax_tokens: 9\n\tmax_tokens: 10\n"
    assert all_fixed(text, table, unsafe=True) == text.replace("\t", "  ")


def test_what_can_be_read_further_may_have_more_findings(table):
    """Once the second `seed` is gone, the line below it belongs to `data`, and what comes after is seen too."""
    again = "seed: {a: 1}\n"
    text = again + "data:\n  x: {b: 1}\n" + again + "  y: {b: 2}\nname: a\nname: b\ntask: {}\ntask: {c: 1}\n z: 1\n"
    assert all_fixed(text, table) == text.replace(again, "").join((again, ""))


def test_a_line_that_can_be_read_further_may_have_more_findings(table):
    """With the first reference in quotes the second `a` is seen, and only then the second reference."""
    text = HEAD + "decoding: {a: ${seed}, a: 1, b: ${name}}\n"
    assert all_fixed(text, table) == text.replace("${seed}", '"${seed}"').replace("${name}", '"${name}"')


def test_a_difference_is_that_of_diff():
    assert diff(Change("f", "a\nb\nc\n", "a\nB\nc")) == (
        "--- f\n+++ f\n@@ -1,3 +1,3 @@\n a\n-b\n-c\n+B\n+c\n\\ No newline at end of file\n"
    )


# every sample, in other dresses


def dressed(text: str, style: str, quotes: str | None) -> str:
    """The same values, written as another person would write them."""
    root, _ = parse(Source("f", text))
    if style == "as it is" or not isinstance(root, MappingNode):
        return text

    class Dumper(yaml.SafeDumper):
        pass

    Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style=quotes))
    return yaml.dump(to_plain(root), Dumper=Dumper, default_flow_style=style == "flow", sort_keys=False, allow_unicode=True, width=60)


def commented(text: str, lines: set[int]) -> str:
    """A comment behind some lines, each another one; not behind what itself is one that a fix may take away."""
    return "".join(
        f"{line}  # {number}!\n" if number in lines and "# distillc" not in line else f"{line}\n"
        for number, line in enumerate(text.removesuffix("\n").split("\n"))
    )


def by_hand(source: Source, fix: Fix) -> str:
    text = source.text
    for each in sorted(fix.edits, key=lambda each: each.span, reverse=True):
        start, end = source.offset(each.span.line, each.span.column), source.offset(each.span.end_line, each.span.end_column)
        text = text[:start] + each.text + text[end:]
    return text


def look(text: str, registry, lock: Path) -> Linted:
    """With all rules, those of the compiler too."""

    def read(path: Path) -> bytes:
        files = {Path("distill.yaml"): text.encode()}
        return files[path] if path in files else (lock if path == Path("distill.lock") else FOLDER / path).read_bytes()

    return lint_all(Path("distill.yaml"), registry, every_profile=True, read=read)


def assert_all_fixes_are_good(text: str, sample: Path, registry) -> None:
    lock = sample.with_suffix(".lock")
    before = look(text, registry, lock)
    source = Source("distill.yaml", text)
    comments = re.findall(r"# \d+!", text)
    whole, broken = parse(source)
    for finding in before.diagnostics:
        if finding.fix is None or (finding.span and finding.span.file != source.name):
            continue
        after = apply(source, [finding.fix])[0]
        assert after == by_hand(source, finding.fix)
        assert re.findall(r"# \d+!", after) == comments
        root, wrong = parse(Source("distill.yaml", after))
        assert (root is not None or whole is None) and len(wrong) <= len(broken), after
        mark = (finding.code, finding.message)
        count = sum((each.code, each.message) == mark for each in before.diagnostics)
        assert sum((each.code, each.message) == mark for each in look(after, registry, lock).diagnostics) < count, f"{finding}\n{after}"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_every_fix_of_a_sample_mends_its_finding(sample, builtins):
    assert_all_fixes_are_good(sample.read_text(encoding="utf-8"), sample, builtins)


TABLE = load_plugins()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    st.sampled_from(SAMPLES),
    st.sampled_from(["as it is", "block", "flow"]),
    st.sampled_from([None, None, '"', "'"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sets(st.integers(0, 30)),
)
def test_every_fix_mends_its_finding_in_other_dresses_too(sample, style, quotes, end, lines):
    text = dressed(sample.read_text(encoding="utf-8"), style, quotes)
    spoken = commented(text, lines)
    one, other = parse(Source("f", text))[0], parse(Source("f", spoken))[0]
    assume(one is None or (other is not None and to_plain(one) == to_plain(other)))  # else a line was no end of a value
    assert_all_fixes_are_good(spoken.replace("\n", end), sample, TABLE)
