"""A training is looked at only when it is over.

Why: `evaluate_every` counts steps, and there are fewer than that. The one value at the end leaves nothing to choose from: early stopping
never stops, and the best weights are the last ones. Most often `steps` was lowered, and this was not; elsewhere the best model then
silently fails to load (https://github.com/huggingface/transformers/pull/28500).

Example:

    train:
      student:
        model: small
        data: clean
        validation: pairs.validation
        steps: 300
        evaluate_every: 500
        early_stopping: {patience: 3}
        losses: {hard: cross_entropy}

Use instead:

    train:
      student:
        model: small
        data: clean
        validation: pairs.validation
        steps: 300
        evaluate_every: 50
        early_stopping: {patience: 3}
        losses: {hard: cross_entropy}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import at, entries, whole
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("train")):
        every, steps = at(step.value, "evaluate_every"), at(step.value, "steps")
        wait, total = whole(every), whole(steps)
        if every is not None and steps is not None and wait is not None and total is not None and 0 < total < wait:
            label = Label(steps.span, "all there are")
            message = f"`{shorten(step.key)}` has {total:,} steps and is evaluated every {wait:,}: once, at the end"
            yield warning("D410", message, every.span, "evaluate more often, or train for longer", related=(label,))
