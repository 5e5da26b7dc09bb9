"""Each spec under tests/diagnostics gives exactly the findings beside it, and each under tests/diagnostics/ok gives none.

What stands in NAME.lock is what the lock beside the spec knows of its models.

DISTILLC_UPDATE=1 writes the findings anew: then read them. A rule has one of each, named after its code's name: the mistake, and what
is nearly that mistake.
"""

import os
import re
from pathlib import Path

import pytest

from distillc.compiler.lint import lint_file
from distillc.spec.codes import ALL_CODES
from distillc.spec.explanation import explanation
from distillc.spec.lint import Linted
from distillc.spec.render import render

FOLDER = Path(__file__).parents[2] / "diagnostics"
BAD = sorted(FOLDER.glob("*.yaml"))
GOOD = sorted((FOLDER / "ok").glob("*.yaml"))

# Findings that no file of this folder can have, each with the reason; other tests make them.
WITHOUT_A_FILE = {
    "D000": "the file itself cannot be opened",
    "D004": "the file would have a megabyte",
    "D020": "the profile is named on the command line",
    "D023": "it stands on the command line, in --set",
    "D111": "no plugin here is broken",
    "D900": "the command itself failed, before any spec",
    "D150": "lint asks no config class",
    "D152": "lint does not ask what is installed",
    "D153": "lint looks at no file",
}
RULES = {code: known for code, known in ALL_CODES.items() if known.module and code not in WITHOUT_A_FILE}


def linted(spec: Path, registry) -> Linted:
    """All rules, those of the compiler too."""
    files = {Path("distill.yaml"): spec, Path("distill.lock"): spec.with_suffix(".lock")}
    return lint_file(Path("distill.yaml"), registry, every_profile=True, read=lambda path: files.get(path, FOLDER / path).read_bytes())


@pytest.mark.parametrize("spec", BAD, ids=lambda spec: spec.stem)
def test_findings_are_those_beside_the_spec(spec, builtins):
    found = linted(spec, builtins)
    assert {diagnostic.code for diagnostic in found.diagnostics} <= ALL_CODES.keys()
    shown = render("full", found.diagnostics, found.sources)
    expected = spec.with_suffix(".out")
    if os.environ.get("DISTILLC_UPDATE"):
        expected.write_text(shown, encoding="utf-8")
    assert shown == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("spec", GOOD, ids=lambda spec: spec.stem)
def test_what_is_nearly_a_mistake_is_none(spec, builtins):
    found = linted(spec, builtins)
    # A rule may look at a part of the language that cannot be run yet.
    rest = [finding for finding in found.diagnostics if finding.code != "D151" or spec.stem == "unsupported"]
    assert render("full", rest, found.sources) == ""


@pytest.mark.parametrize(("code", "name"), [(code, known.name) for code, known in RULES.items()])
def test_every_rule_has_a_spec_that_breaks_it_and_one_that_does_not(code, name):
    assert code in _codes_in(FOLDER / f"{name}.out")
    assert (FOLDER / "ok" / f"{name}.yaml").is_file()


def test_every_code_is_shown_by_some_spec():
    shown = {code for spec in BAD for code in _codes_in(spec.with_suffix(".out"))}
    assert ALL_CODES.keys() - shown == WITHOUT_A_FILE.keys()


def test_a_text_tells_of_a_fix_where_there_is_one():
    shown = "\n\n".join(out.read_text(encoding="utf-8") for out in sorted(FOLDER.glob("*.out")))
    fixed = {code for block in shown.split("\n\n") if "  = fix: " in block for code in _codes(block)}
    assert {code for code, known in ALL_CODES.items() if explanation(code, known).fix} == fixed


def test_no_output_is_left_without_its_spec():
    assert {out.stem for out in FOLDER.glob("*.out")} == {spec.stem for spec in BAD}


def _codes_in(out: Path) -> set[str]:
    return _codes(out.read_text(encoding="utf-8")) if out.is_file() else set()


def _codes(shown: str) -> set[str]:
    return set(re.findall(r"(?:error|warning|info)\[(D\d+)\]", shown))
