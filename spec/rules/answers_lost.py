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
from distillc.spec.nodes import Node, uses
from distillc.spec.rows import all_rows, items_of
from distillc.spec.rules import Context, warning


def check(context: Context) -> Iterator[Diagnostic]:
    found = all_rows(context)
    for step in found.values():
        if step.section != "generate":
            continue
        source = found.get(step.source or "")
        before = context.at("generate", source.answered[0], "steps", source.answered[1]) if source and source.answered else None
        answered = {"target": before} if before else {}
        for item, effect in zip(items_of(step, context), step.effects, strict=True):
            if effect.answers is not None:
                if effect.answers in answered:
                    yield _finding(item, answered[effect.answers], "this answer takes the place of the one before it")
                answered[effect.answers] = item
                continue
            if effect.known and answered:
                message = f"`{uses(item)}` makes new rows of the inputs, and the answers are lost"
                yield _finding(item, next(iter(answered.values())), message)
            answered = {}  # what a plugin that does not say it does with them is not known


def _finding(item: Node, first: Node, message: str) -> Diagnostic:
    return warning("D313", message, item.span, "make it a step of its own", related=(Label(first.span, "answered here"),))
