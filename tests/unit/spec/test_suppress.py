"""What of the findings is shown, and as what."""

import re
from pathlib import Path

import pytest

from distillc.spec.codes import ALL_CODES, is_binding
from distillc.spec.diagnostic import Diagnostic, Severity, Span
from distillc.spec.errors import UsageError
from distillc.spec.lint import Linted, lint
from distillc.spec.suppress import AS_IT_IS, Selection, asked, code_of, is_always_shown, selector_of

HEAD = 'distill: 1\nname: x\ntask: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}\n'
STEP = "{model: base, data: d, epochs: 10, losses: {hard: cross_entropy}}"
SPEC = HEAD + "data: {d: {uses: jsonl, path: d.jsonl}}\nmodels: {base: {uses: random}}\ntrain:\n  s: " + STEP + "\n"
"""One finding: D402, last-weights, a warning in line 7."""


def levels(found: Linted) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity.value) for finding in found.diagnostics]


def shown(text: str, table, *options: str) -> list[tuple[str, str]]:
    """`options`: `+D4` selects, `-D402` ignores."""
    select = [word[1:] for word in options if word[0] == "+"]
    ignore = [word[1:] for word in options if word[0] == "-"]
    return levels(lint(text, "f", table, every_profile=True, selection=asked(select, ignore)))


def of(section: str) -> str:
    return f"{SPEC}lint: {section}\n"


SHOWN = [("D402", "warning")]


def test_a_finding_is_shown_until_something_ignores_it(table):
    assert shown(SPEC, table) == SHOWN
    assert shown(of("{ignore: [D402]}"), table) == []
    assert shown(of("{ignore: [last-weights]}"), table) == []
    assert shown(of("{ignore: [D4]}"), table) == []
    assert shown(of("{ignore: [D3]}"), table) == SHOWN
    assert shown(of("{levels: {last-weights: off}}"), table) == []


@pytest.mark.parametrize(
    ("select", "ignore", "there"),
    [
        ("[D4]", "[]", True),
        ("[D3]", "[]", False),
        ("[]", "[]", False),
        ("null", "[]", True),
        ("[D402]", "[D4]", True),  # the longer wins, in whichever list it stands
        ("[D4]", "[D402]", False),
        ("[D]", "[D4]", False),
        ("[D40]", "[D4]", True),
        ("[D4]", "[D4]", False),  # of equals `ignore`
        ("[last-weights]", "[D40]", True),  # a name is as long as a code
        ("[D3, last-weights]", "[D402]", False),
    ],
)
def test_of_two_selectors_the_longer_wins(select, ignore, there, table):
    assert shown(of(f"{{select: {select}, ignore: {ignore}}}"), table) == (SHOWN if there else [])


@pytest.mark.parametrize(
    ("section", "options", "there"),
    [
        ("{ignore: [D402]}", ["+D4"], True),  # --select takes the place of all that the spec says
        ("{levels: {D402: off}}", ["+D"], True),
        ("{select: [D402]}", ["-D4"], False),  # --ignore is added
        ("{select: [D3]}", ["-D3"], False),
        ("{select: [D402]}", ["+D3"], False),
        ("{ignore: [D4]}", ["-D3"], False),
        ("{}", ["+D4", "-D402"], False),
        ("{}", ["+D402", "-D4"], True),
        ("{}", ["+D3,last-weights", "-D5,D6"], True),
    ],
)
def test_the_command_line_wins_over_the_spec(section, options, there, table):
    assert shown(of(section), table, *options) == (SHOWN if there else [])


def test_a_level_is_lowered_and_raised(table):
    assert shown(of("{levels: {D402: error}}"), table) == [("D402", "error")]
    assert shown(of("{levels: {last-weights: info}}"), table) == [("D402", "info")]
    unused = SPEC.replace("epochs: 10, ", "") + "lint: {levels: {unused-ignore: error}}\n# distillc: ignore[D402]\n"
    assert shown(unused, table) == [("D904", "error")]


def test_what_no_plan_can_be_made_with_is_shown_whatever_is_said_of_it(table):
    text = SPEC.replace("model: base", "model: bas") + "seed: x # distillc: ignore[D103]\n"
    wrong = {("D103", "error"), ("D201", "error")}
    assert set(shown(text, table, "+D4")) >= wrong
    assert set(shown(text, table, "-D")) == wrong
    assert wrong <= set(shown(text + "lint: {ignore: [D], levels: {D103: warning, D201: off}}\n", table))


def test_an_option_with_a_code_that_there_is_not_is_bad_usage():
    for select, ignore, message, help in (
        (["D4", "D999"], [], "--select: there is no finding `D999`", None),
        ([], ["last-weigths"], "--ignore: there is no finding `last-weigths`", "did you mean `last-weights`?"),
        ([], ["d402"], "--ignore: there is no finding `d402`", "did you mean `D402`?"),
        ([], ["D409x", "E401"], "--ignore: there is no finding `D409x`", "`distillc explain` lists all codes"),
        ([], ["D402,,D3"], "--ignore: there is no finding ``", None),
        ([], ["unknown-key"], "--ignore: `unknown-key` cannot be ignored", None),
        ([], ["D10"], "--ignore: `D10` cannot be ignored", None),
    ):
        with pytest.raises(UsageError) as caught:
            asked(select, ignore)
        assert caught.value.message == message
        assert help is None or caught.value.help == help


def test_without_options_the_spec_has_the_say():
    assert asked([], []) == AS_IT_IS == Selection(None, ())


def test_names_and_codes_and_their_beginnings():
    assert code_of("D402") == code_of("last-weights") == "D402"
    assert code_of("D4") is None and code_of("d401") is None
    assert selector_of("D4") == "D4" and selector_of("D") == "D" and selector_of("judge-family") == "D650"
    assert selector_of("D99") is None and selector_of("") is None and selector_of("E5") is None
    assert is_always_shown("D10") and is_always_shown("cycle") and not is_always_shown("D") and not is_always_shown("D650")


def test_a_comment_hides_the_findings_of_its_line(table):
    assert shown(SPEC.rstrip() + " # distillc: ignore[D402] all rows train\n", table) == []
    assert shown(SPEC.replace("  s:", "  # distillc: ignore[last-weights]\n  s:"), table) == []
    assert shown("# distillc: ignore-file[D402]\n" + SPEC, table) == []
    assert shown(SPEC.replace("train:", "train: # distillc: ignore[D402]"), table) == [("D904", "warning"), ("D402", "warning")]


def test_a_finding_inside_a_block_is_ignored_where_its_key_is(table):
    block = "task:\n  kind: generate\n  input: text\n  target: fixed\n  prompt: |-\n    {{ text }}\\n"
    text = SPEC.replace(HEAD.splitlines()[2], block)
    assert shown(text, table) == [("D306", "warning"), *SHOWN]
    assert shown(text.replace("prompt: |-", "prompt: |- # distillc: ignore[D306]"), table) == SHOWN


def test_a_comment_counts_in_the_file_where_the_finding_stands(table):
    base = SPEC.rstrip() + " # distillc: ignore[D402]\n"

    def run(text: str) -> list[tuple[str, str]]:
        return levels(lint(text, "f", table, every_profile=True, read=lambda path: base.encode()))

    assert run("extends: base.yaml\n") == []
    own = "extends: base.yaml\ntrain:\n  t: " + STEP
    assert run(own) == SHOWN
    assert run(own + " # distillc: ignore[D402]") == []
    # what only another spec needs is not this one's to judge
    assert run("extends: base.yaml\ntrain: {s: {model: base, data: d, losses: {hard: cross_entropy}}}\n") == []


def test_a_comment_in_a_profile_covers_what_the_profile_makes_wrong(table):
    quick = "profiles:\n  quick:\n    train.s.epochs: 10"
    text = SPEC.replace("epochs: 10, ", "") + quick
    assert shown(text, table) == SHOWN
    assert shown(text + " # distillc: ignore[D402]\n", table) == []
    assert levels(lint(text + " # distillc: ignore[D402]\n", "f", table, "quick")) == []


def test_only_a_look_at_the_whole_spec_calls_a_comment_unused(table):
    text = SPEC.replace("epochs: 10, ", "").rstrip() + " # distillc: ignore[D402]\n"
    assert levels(lint(text, "f", table, every_profile=True)) == [("D904", "warning")]
    assert levels(lint(text, "f", table)) == []
    assert levels(lint(text, "f", table, None, ["seed=1"], every_profile=True)) == []
    assert levels(lint("extends: none.yaml\n" + text, "f", table, every_profile=True))[-1][0] != "D904"


def test_a_comment_for_the_compilers_rules_is_not_unused_where_they_were_not_asked(table):
    assert shown(SPEC.rstrip() + " # distillc: ignore[D402, judge-family]\n", table) == []


def test_a_finding_without_a_place_belongs_to_the_whole_file(table):
    policy = lint("# distillc: ignore-file[D351]\n" + SPEC, "f", table).policy
    nowhere = Diagnostic("D351", Severity.ERROR, "x")
    assert policy.shown([nowhere]) == []
    elsewhere = Diagnostic("D351", Severity.ERROR, "x", Span("--set", 1, 1, 1, 2))
    assert policy.shown([elsewhere]) == [elsewhere]


@pytest.mark.parametrize("code", [code for code, known in ALL_CODES.items() if known.module])
def test_what_binds_is_an_error_and_what_does_not_is_a_warning(code):
    """An error that could be ignored would be a judgement, and a warning that could not be ignored no warning."""
    module = ALL_CODES[code].module or ""
    path = Path(__file__).parents[3].joinpath(*module.split(".")[1:]).with_suffix(".py")
    errs, warns = (re.search(rf'\b{level}\([^"]*"{code}"', path.read_text(encoding="utf-8")) for level in ("error", "warning"))
    known = ALL_CODES[code]
    assert bool(errs) == known.binding, f"{code}: what is certain is an error and binds, what is a judgement warns"
    assert bool(warns) == (known.warns or not known.binding)


def test_what_lowering_reports_binds():
    """The compiler cannot go on with a step that it could not lower, whatever is ignored."""
    lowering = Path(__file__).parents[3] / "compiler" / "lower"
    reported = {code for file in lowering.glob("*.py") for code in re.findall(r'"(D\d{3})"', file.read_text(encoding="utf-8"))}
    assert reported and {code for code in reported if not is_binding(code)} == set()
