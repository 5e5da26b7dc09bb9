"""A comment or the `lint` section ignores or lowers a finding that is always shown.

Why: without text, shape and names no plan can be made, and what breaks a run for certain is better known before it. Such a finding
stays an error whatever is said of it. `distillc explain CODE` says of a code whether it can be ignored.

Example:

    lint: {ignore: [unknown-key], levels: {undefined-name: warning}}

Use instead:

    lint: {ignore: [last-weights]}

Fix: takes the code out of a comment.
"""

from collections.abc import Iterator

from distillc.spec.codes import is_certain
from distillc.spec.comments import without
from distillc.spec.diagnostic import Diagnostic, Fix, Severity, Span
from distillc.spec.nodes import at, entries, items, text
from distillc.spec.rules import Context, warning
from distillc.spec.suppress import code_of, is_always_shown


def check(context: Context) -> Iterator[Diagnostic]:
    section = context.at("lint")
    for item in items(at(section, "ignore")):
        word = text(item)
        if word is not None and is_always_shown(word):
            yield _finding(word, "ignored", item.span)
    for entry in entries(at(section, "levels")):
        code, level = code_of(entry.key), text(entry.value)
        if code and is_certain(code) and level is not None and level != Severity.ERROR:
            yield _finding(entry.key, "ignored" if level == "off" else "lowered", entry.key_span)
    for comment in context.comments:
        for named in comment.names:
            if (code := code_of(named.text)) and is_certain(code):
                fix = Fix("take it out of the comment", (without(comment, [named]),))
                yield _finding(named.text, "ignored", named.span, fix)


def _finding(word: str, what: str, span: Span, fix: Fix | None = None) -> Diagnostic:
    return warning("D902", f"`{word}` cannot be {what}", span, "no plan can be made with what it finds: mend it", fix=fix)
