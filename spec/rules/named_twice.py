"""A list names one thing twice.

Why: the second changes nothing, so it stands where something else was meant: the export that was never evaluated, the test set that
nothing is kept apart from.

Example:

    evaluate:
      test: {data: pairs.test, models: [teacher, student, student], metrics: [exact_match]}

Use instead:

    evaluate:
      test: {data: pairs.test, models: [teacher, student, q8], metrics: [exact_match]}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label, Span
from distillc.spec.nodes import entries, items, text
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    first: dict[tuple[tuple[str | int, ...], str], Span] = {}
    for reference in context.references:
        if isinstance(reference.path[-1], int) and reference.path[-2] != "model":  # of a panel it is an error (D319)
            yield from _see(first, (reference.path[:-1], reference.text), reference.span)
    for step in entries(context.at("data")):
        for package in items(context.at("data", step.key, "packages")):
            if name := text(package):
                yield from _see(first, (("data", step.key), name), package.span)


def _see(
    first: dict[tuple[tuple[str | int, ...], str], Span], thing: tuple[tuple[str | int, ...], str], span: Span
) -> Iterator[Diagnostic]:
    before = first.setdefault(thing, span)
    if before != span:
        label = Label(before, "first named here")
        yield warning("D210", f"`{shorten(thing[1])}` stands in this list twice", span, "name another, or take it out", related=(label,))
