"""The best of several models is chosen by test rows.

Why: the one that happens to suit these rows wins, and its score on them, which the report then shows, is too good: the more candidates,
the better (Cawley and Talbot, On over-fitting in model selection, 2010, https://www.jmlr.org/papers/v11/cawley10a.html). So the language
has no choice by test rows: it is an error.

Example:

    choose:
      best: {among: [q8, q4], by: errant_f0.5, data: pairs.test}

Use instead:

    choose:
      best: {among: [q8, q4], by: errant_f0.5, data: pairs.validation}

Fix: writes `validation` for `test`. It is unsafe: the rows may have no validation split.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import fix, replace
from distillc.spec.nodes import entries, text
from distillc.spec.references import split_name
from distillc.spec.rows import rows_of
from distillc.spec.rules import Context, error
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    places = [("choose", step.key, "data") for step in entries(context.at("choose"))]
    for path in (*places, ("matrix", "select", "data")):
        node = context.at(*path)
        reference = text(node)
        if node is None or reference is None:
            continue
        name, split = split_name(reference)
        if split == "test":
            help = f"choose by `{shorten(name)}.validation`"
            yield error(
                "D613",
                f"`{shorten(reference)}` are test rows, and the choice is made by them",
                node.span,
                help,
                fix=fix(context, help, replace(node, f"{name}.validation")),
            )
        elif split is None and (rows := rows_of(name, context)) and rows.splits == ("test",):
            message = f"`{shorten(name)}` is made of test rows, and the choice is made by them"
            yield error("D613", message, node.span, "choose by rows that are made of validation rows")
