"""Rows are kept apart from rows that they are themselves.

Why: under `against`, a bare name means all rows of a step, training rows too. What is made from the same source then repeats what it is
compared with, word for word, and `decontaminate` drops it: all of it, or all that is short. Name the split that is tested on.

Example:

    curate:
      clean: {from: answers, steps: [{uses: decontaminate, against: [pairs]}]}

Use instead:

    curate:
      clean: {from: answers, steps: [{uses: decontaminate, against: [pairs.test]}]}

Fix: writes `.test` behind the name.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.node_edits import fix, replace
from distillc.spec.nodes import Node, items, text, whole
from distillc.spec.references import split_name
from distillc.spec.rows import Rows, all_rows, kept_apart, rows_of
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for step in all_rows(context).values():
        for place in kept_apart(step, context) if "train" in step.splits else ():
            for against in items(place) or [place]:
                yield from _check(step, against, context)


def _check(step: Rows, against: Node, context: Context) -> Iterator[Diagnostic]:
    reference = text(against) or ""
    name, split = split_name(reference)
    other = rows_of(reference, context)
    if other is None or other.data != step.data or "train" not in other.taken(split):
        return
    source = context.definitions[step.data]
    tested = whole(context.at(*source.path, "split", "test"))
    help = f"write `{shorten(name)}.test`" if tested else "name the rows that are tested on"
    mend = fix(context, f"write `{name}.test`", replace(against, f"{name}.test")) if tested else None
    label = Label(source.span, "both come from here")
    message = f"`{shorten(reference)}` has training rows, and `{shorten(step.name)}` is made from the same ones"
    yield warning("D314", message, against.span, help, related=(label,), fix=mend)
