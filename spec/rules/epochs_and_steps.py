"""A training says its length twice, and one of the two is ignored.

Why: `steps` wins over `epochs`. Whoever raises the other one trains no longer than before. (A profile may set `steps` where the spec says
`epochs`: that is what profiles are for.)

Example:

    train:
      student: {model: small, data: clean, epochs: 5, steps: 300, losses: {hard: cross_entropy}}

Use instead:

    train:
      student: {model: small, data: clean, steps: 300, losses: {hard: cross_entropy}}

Fix: takes `epochs` out, which has no effect.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.node_edits import fix, remove
from distillc.spec.nodes import MappingNode, entries
from distillc.spec.rules import Context, warning
from distillc.spec.variants import within
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("train")):
        if not isinstance(step.value, MappingNode):
            continue
        epochs, steps = step.value.entries.get("epochs"), step.value.entries.get("steps")
        if epochs and steps and within(epochs.key_span, step.value.span) and within(steps.key_span, step.value.span):
            mend = fix(context, "take `epochs` out", remove(step.value, "epochs"), safe=True)
            label = Label(steps.key_span, "this wins")
            message = f"`{shorten(step.key)}` has `steps`, so its `epochs` count for nothing"
            yield warning("D403", message, epochs.key_span, "take one of them out", related=(label,), fix=mend)
