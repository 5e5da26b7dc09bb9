"""Rows without targets are trained on, or measured against.

Why: sentences from docstrings have no target until `corrupt` makes pairs of them, `gold: drop` leaves it out again, and then only a
teacher's `answer` writes one. Whoever names the step before the answers gets a run that stops at its first batch, after hours.

Example:

    train:
      student: {model: small, data: learner, losses: {hard: cross_entropy}}

Use instead:

    train:
      student: {model: small, data: answers, losses: {hard: cross_entropy}}
"""

from collections.abc import Iterator

from distillc.spec.check import Reference
from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import items
from distillc.spec.rows import all_rows, rows_of
from distillc.spec.rules import Context, error
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for reference in context.references:
        if reference.expects == "rows" and _needs_targets(reference, context):
            rows = rows_of(reference.text, context)
            if rows and rows.bare:
                label = Label(context.definitions[rows.bare].span, "leaves none, and nothing writes any after it")
                message = f"rows of `{shorten(rows.name)}` have no targets"
                yield error("D312", message, reference.span, _help(rows.name, context), related=(label,))


def _needs_targets(reference: Reference, context: Context) -> bool:
    """Whether the run stops without: training, capture, and metrics, but no judge."""
    section, step, key = (*map(str, reference.path[:3]), "", "")[:3]
    if section == "evaluate":
        return key == "data" and bool(items(context.at(section, step, "metrics")))
    return (section == "train" and key in ("data", "validation")) or (section == "capture" and key == "data")


def _help(name: str, context: Context) -> str:
    """The rows that a model answered, where there are such; else how to have some."""
    for step in all_rows(context).values():
        if step.source == name and step.answered and step.answered[0] == step.name:
            return f"is `{shorten(step.name)}` meant, which is made from them?"
    return "have a model answer them: `steps: [{uses: answer, model: NAME}]`"
