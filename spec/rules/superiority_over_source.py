"""A gate without `margin` asks that a model be better than its teacher, or than the model that it was quantized from.

Why: without `margin` a gate asks for superiority. A student is to come near its teacher, an export near its model; better than them
they hardly ever are, and equal ones never pass. What is meant is non-inferiority: worse by no more than a margin.

Example:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, gold, q8, q4]
        metrics: [errant]
        gates:
          close: {model: q8, metric: errant_f0.5, against: teacher}

Use instead:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, gold, q8, q4]
        metrics: [errant]
        gates:
          close: {model: q8, metric: errant_f0.5, against: teacher, margin: 0.05}
"""

from collections.abc import Iterator

from distillc.spec.claims import claims
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.pedigree import pedigree
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for claim in claims(context):
        if claim.margin is not None or claim.model == claim.against:
            continue
        family = pedigree(context)
        against = family.exported_from(claim.against)
        if claim.against in family.exported_from(claim.model):
            what = f"`{shorten(claim.against)}`, which it is made from"
        elif any(teacher in against for teacher in family.taught_by(claim.model)):
            what = f"its teacher `{shorten(claim.against)}`"
        else:
            continue
        message = f"`{shorten(claim.name)}` asks that `{shorten(claim.model)}` be better than {what}"
        yield warning("D606", message, claim.span, "add `margin`: how much worse it may be, in units of the metric")
