"""A model's answers are written over by the next generator.

Why: generators of a step work one after the other on the same rows. A second `answer` takes the place of the first, it adds none; and
`corrupt` makes a new pair out of the input. The first model's answers are paid for and nobody sees them. Two models make two steps, each
`from` the same rows.

Example:

    generate:
      answers: {from: learner, steps: [{uses: answer, model: base}, {uses: answer, model: teacher}]}

Use instead:

    generate:
      base_answers: {from: learner, steps: [{uses: answer, model: base}]}
      answers: {from: learner, steps: [{uses: answer, model: teacher}]}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import Node, at, items, text, uses
from distillc.spec.rows import all_rows
from distillc.spec.rules import Context, warning


def check(context: Context) -> Iterator[Diagnostic]:
    for step in all_rows(context).values():
        if step.section != "generate":
            continue
        before = step.source.answered if step.source else None
        answered = {"target": before} if before else {}
        for item in items(at(step.node, "steps")):
            name, into = uses(item), text(at(item, "into")) or "target"
            if name == "corrupt":
                if answered:
                    yield _finding(item, next(iter(answered.values())), "`corrupt` makes new rows of the inputs, and the answers are lost")
                answered = {}
            elif name == "answer":
                if into in answered:
                    yield _finding(item, answered[into], "this answer takes the place of the one before it")
                answered = {**answered, into: item}
            else:
                answered = {}  # what another plugin does with them is not known


def _finding(item: Node, first: Node, message: str) -> Diagnostic:
    return warning("D313", message, item.span, "make it a step of its own", related=(Label(first.span, "answered here"),))
