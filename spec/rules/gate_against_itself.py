"""A gate compares a model with itself.

Why: without `margin` it can never pass, with one it can never fail; either way it proves nothing. It was copied, and one of its two
models was meant to change. That is certain before anything is measured: an error.

Example:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, gold, q8, q4]
        metrics: [errant]
        gates:
          better: {model: q8, metric: errant_f0.5, against: q8}

Use instead:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, gold, q8, q4]
        metrics: [errant]
        gates:
          better: {model: q8, metric: errant_f0.5, against: gold}
"""

from collections.abc import Iterator

from distillc.spec.claims import claims
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.rules import Context, error
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for claim in claims(context):
        if claim.model == claim.against:
            message = f"`{shorten(claim.name)}` compares `{shorten(claim.model)}` with itself"
            yield error(
                "D604", message, claim.span_of("against"), f"name another model of `{shorten(claim.evaluation)}` to compare it with"
            )
