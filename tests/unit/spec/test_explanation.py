"""What `explain` says is in the form, and its examples are true: the first has the finding, the second has not."""

import re
from pathlib import Path

import pytest

from distillc.compiler.lint import lint_file
from distillc.spec.codes import ALL_CODES
from distillc.spec.diagnostic import Diagnostic, Severity
from distillc.spec.explanation import TEXTS, Explanation, as_markdown, explanation, parse, written

BASE = Path(__file__).parents[3] / "docs" / "rules" / "base.yaml"
LOCK = BASE.with_name("base.lock")
WORLD = frozenset({"D152", "D153"})
"""What lint finds with `--world` alone."""
EACH = pytest.mark.parametrize(("code", "name"), [(code, known.name) for code, known in ALL_CODES.items()])


def findings(example: str, table) -> list[Diagnostic]:
    """Of an example on top of the base spec; of one that says its version itself, or YAML's, alone."""
    text = example if example.startswith(("distill:", "%")) else f"extends: base.yaml\n{example}"
    files = {Path("distill.yaml"): text.encode(), Path("base.yaml"): BASE.read_bytes(), Path("distill.lock"): LOCK.read_bytes()}

    def read(path: Path) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory")
        return files[path]

    return lint_file(Path("distill.yaml"), table, every_profile=True, read=read).diagnostics


def test_the_spec_under_the_examples_is_clean(builtins):
    assert findings("", builtins) == []


@EACH
def test_a_text_is_in_the_form(code, name):
    told = explanation(code, ALL_CODES[code])
    assert told.summary.endswith(".") and "\n" not in told.summary and len(told.summary) < 200
    assert told.why and bool(told.example) == bool(told.instead)
    assert told.example or not ALL_CODES[code].module
    paragraphs = written(ALL_CODES[code]).split("\n\n")[1:]
    labels = [found[0] for paragraph in paragraphs if (found := re.match(r"[A-Z][a-z]*(?: [a-z]+)?:(?=\s|$)", paragraph))]
    assert labels == [label for label in ("Why:", "Example:", "Use instead:", "Fix:") if label in labels]


@EACH
def test_the_example_has_the_finding_and_what_to_use_instead_has_none(code, name, builtins):
    told = explanation(code, ALL_CODES[code])
    if not told.example:
        return
    if code not in WORLD:
        assert code in {finding.code for finding in findings(told.example, builtins)}
    mended = findings(told.instead, builtins)
    assert code not in {finding.code for finding in mended}
    # D151: a rule may look at a part of the language that cannot be run yet.
    assert [finding for finding in mended if finding.severity is Severity.ERROR and finding.code != "D151"] == []


def test_every_text_belongs_to_a_code():
    assert {path.stem for path in TEXTS.glob("*.md")} == {known.name for known in ALL_CODES.values() if not known.module}


FORM = """\
A thing is
wrong.

Why: it hurts.
It does.

And how.

Example:

    seed:
      - 1

      - 2

Use instead:

    seed: 1

Fix: takes the list away.
"""


def test_the_parts_are_found_by_their_labels():
    told = parse("D999", "thing", FORM)
    assert told == Explanation(
        "D999", "thing", "A thing is wrong.", "It hurts. It does.\n\nAnd how.", "seed:\n  - 1\n\n  - 2", "seed: 1", "Takes the list away."
    )


def test_as_markdown_the_examples_are_blocks_of_yaml():
    told = parse("D999", "thing", "A thing is wrong.\n\nWhy: it hurts.\n\nExample:\n\n    a: 1\n\nUse instead:\n\n    b: 1\n")
    assert as_markdown(told) == "**Why:** It hurts.\n\n**Example:**\n\n```yaml\na: 1\n```\n\n**Use instead:**\n\n```yaml\nb: 1\n```"
