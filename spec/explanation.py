"""What a code means, read from the docstring of its rule or from `spec/texts/NAME.md`, which has the same form:

    One sentence: what is found.

    Why: why it hurts, with the incident or the source where there is one.

    Example:

        …YAML…

    Use instead:

        …YAML…

    Fix: what `--fix` does, where it does anything.

`explain`, the pages under `docs/rules` and SARIF are made of it. The form is Markdown too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from inspect import cleandoc
from pathlib import Path

from distillc.spec.codes import Code

TEXTS = Path(__file__).with_name("texts")
_LABEL = re.compile(r"(Why|Example|Use instead|Fix):(?: |$)")


@dataclass(frozen=True, slots=True)
class Explanation:
    """`example` and `instead` are YAML; what a text lacks is empty. Paragraphs of `why` and `fix` are on one line each."""

    code: str
    name: str
    summary: str
    why: str = ""
    example: str = ""
    instead: str = ""
    fix: str = ""


def explanation(code: str, known: Code) -> Explanation:
    return parse(code, known.name, written(known))


def written(known: Code) -> str:
    """The text as somebody wrote it."""
    if known.module:
        return cleandoc(import_module(known.module).__doc__ or "")
    return (TEXTS / f"{known.name}.md").read_text(encoding="utf-8").strip()


def parse(code: str, name: str, text: str) -> Explanation:
    found: dict[str, list[str]] = {}
    label = ""
    for line in text.splitlines():
        named = _LABEL.match(line)
        if named:
            label = named[1]
        found.setdefault(label, []).append(line[named.end() :] if named else line)
    return Explanation(
        code,
        name,
        summary=_prose(found.get("", [])).partition("\n\n")[0],
        why=_prose(found.get("Why", [])),
        example=_yaml(found.get("Example", [])),
        instead=_yaml(found.get("Use instead", [])),
        fix=_prose(found.get("Fix", [])),
    )


def _prose(lines: list[str]) -> str:
    """Paragraphs, each on one line; a sentence that went on after a label begins one here."""
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines).strip())
    prose = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    return prose[:1].upper() + prose[1:]


def _yaml(lines: list[str]) -> str:
    return "\n".join(line.removeprefix("    ").rstrip() for line in lines).strip("\n")


def as_markdown(told: Explanation) -> str:
    """All but the summary, which those who show it put on top."""
    return "\n\n".join(f"**{label}:**" + (f"\n\n```yaml\n{text}\n```" if is_yaml else f" {text}") for label, text, is_yaml in parts(told))


def parts(told: Explanation) -> Iterator[tuple[str, str, bool]]:
    """What follows the summary: the label, the text, and whether it is YAML."""
    for label, text, is_yaml in (
        ("Why", told.why, False),
        ("Example", told.example, True),
        ("Use instead", told.instead, True),
        ("Fix", told.fix, False),
    ):
        if text:
            yield label, text, is_yaml
