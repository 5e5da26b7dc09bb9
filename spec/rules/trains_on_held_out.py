"""A model is trained on the split that was held out.

Why: under `data`, `NAME.test` and `NAME.validation` are the rows that a split keeps away from training: a handful of rows, and those
that the proof rests on. A bare name means the training rows.

Example:

    train:
      teacher: {model: base, data: pairs.test, losses: {hard: cross_entropy}}

Use instead:

    train:
      teacher: {model: base, data: pairs, losses: {hard: cross_entropy}}

Fix: names the training rows.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import fix, replace
from distillc.spec.nodes import at, entries, text
from distillc.spec.references import split_name
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("train")):
        data = at(step.value, "data")
        name, split = split_name(text(data) or "")
        if data is not None and split in ("validation", "test"):
            mend = fix(context, f"train on `{name}`", replace(data, name))
            message = f"`{shorten(step.key)}` is trained on the {split} rows of `{shorten(name)}`"
            yield warning("D404", message, data.span, f"write `{shorten(name)}` for its training rows", fix=mend)
