"""Two gates of an evaluation make one claim.

Why: one was copied and its model not changed, so what it is named after is not checked. And all gates of an evaluation share the room
for error (Holm, A simple sequentially rejective multiple test procedure, 1979): a gate that is there twice makes every other one harder
to pass.

Example:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, gold, q8, q4]
        metrics: [errant]
        gates:
          q8_better:   {model: q8, metric: errant_f0.5, against: gold}
          q4_better:   {model: q8, metric: errant_f0.5, against: gold}

Use instead:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, gold, q8, q4]
        metrics: [errant]
        gates:
          q8_better:   {model: q8, metric: errant_f0.5, against: gold}
          q4_better:   {model: q4, metric: errant_f0.5, against: gold}
"""

from collections.abc import Iterator

from distillc.spec.claims import Claim, claims
from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import number
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    first: dict[tuple[object, ...], Claim] = {}
    for claim in claims(context):
        before = first.setdefault((claim.evaluation, claim.model, claim.metric, claim.against, number(claim.margin)), claim)
        if before is not claim:
            message = f"`{shorten(claim.name)}` claims the same as `{shorten(before.name)}`"
            label = Label(before.span, "the other one")
            yield warning("D608", message, claim.span, "change one of them, or take it out", related=(label,))
