"""A comment speaks to the linter and is not understood, so it ignores nothing.

Why: it looks as if it did. The form is `# distillc: ignore[CODE] why`, with codes (D402) or their names (last-weights), on the line of
the finding or alone above it; `# distillc: ignore-file[CODE] why` at the top is for the whole file. An ignore without codes would hide
the next mistake too, so there is none.

Example:

    train:
      student:
        model: small
        data: clean
        losses: {hard: cross_entropy}
        epochs: 10 # distillc: ignore

Use instead:

    train:
      student:
        model: small
        data: clean
        losses: {hard: cross_entropy}
        epochs: 10 # distillc: ignore[last-weights] few rows: all of them train

Fix: puts in the colon that is missing.
"""

from collections.abc import Iterator

from distillc.spec.comments import DIRECTIVES, WORD, Comment
from distillc.spec.diagnostic import Diagnostic, Edit, Fix
from distillc.spec.rules import Context, warning
from distillc.spec.wording import did_you_mean, shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for comment in context.comments:
        if comment.fault:
            yield warning("D903", _message(comment), comment.span, _help(comment), fix=_fix(comment))


def _message(comment: Comment) -> str:
    match comment.fault:
        case "no colon":
            return f"a colon is missing after `{WORD}`"
        case "no codes":
            return f"`{comment.word}` does not say which findings"
        case "not closed":
            return "the codes are not closed by `]`"
        case "not at the top":
            return "`ignore-file` is not at the top"
        case _:
            return f"`{shorten(comment.word)}` is no word that the linter knows"


def _help(comment: Comment) -> str | None:
    if comment.fault == "not at the top":
        return "put it before the first key, or write `ignore` for one line"
    if comment.fault == "other word" and (near := did_you_mean(comment.word, DIRECTIVES)) and near.startswith("did"):
        return near
    return f"write `# {WORD}: ignore[CODE] why`"


def _fix(comment: Comment) -> Fix | None:
    if comment.fault != "no colon" or comment.after_name is None:
        return None
    return Fix("put in the colon", (Edit(comment.after_name, ":"),))
