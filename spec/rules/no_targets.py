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
from distillc.spec.nodes import at, entries, items, text, uses
from distillc.spec.references import split_name
from distillc.spec.rows import rows_of
from distillc.spec.rules import Context, error
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for reference in context.references:
        if reference.expects == "rows" and _needs_targets(reference, context):
            rows = rows_of(reference.text, context)
            if rows and rows.bare:
                label = Label(rows.bare, "leaves none, and nothing writes any after it")
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
    for step in entries(context.at("generate")):
        origin = text(at(step.value, "from"))
        if origin and split_name(origin)[0] == name and any(uses(item) == "answer" for item in items(at(step.value, "steps"))):
            return f"is `{shorten(step.key)}` meant, which is made from them?"
    return "have a model answer them: `steps: [{uses: answer, model: NAME}]`"
