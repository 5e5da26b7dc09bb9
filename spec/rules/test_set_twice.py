"""Two test sets of an evaluation are the same rows.

Why: the report shows two equal columns, and the second, named after harder or unseen data, is taken for a result that holds there too.
Under `evaluate` a bare name means its test rows, so `pairs` and `pairs.test` are one set.

Example:

    evaluate:
      test: {data: {seen: pairs.test, unseen: pairs.test}, models: [teacher, student], metrics: [errant]}

Use instead:

    evaluate:
      test: {data: {seen: pairs.test, unseen: unseen.test}, models: [teacher, student], metrics: [errant]}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import Entry, at, entries, text
from distillc.spec.references import split_name
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("evaluate")):
        first: dict[tuple[str, str], Entry] = {}
        for data in entries(at(step.value, "data")):
            reference = text(data.value)
            if reference is None:
                continue
            name, split = split_name(reference)
            before = first.setdefault((name, split or "test"), data)
            if before is not data:
                label = Label(before.value.span, "the other one")
                message = f"`{shorten(data.key)}` is the same rows as `{shorten(before.key)}`"
                yield warning("D609", message, data.value.span, "name other rows, or take it out", related=(label,))
