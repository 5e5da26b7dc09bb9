"""A gate asks whether a teacher, or the model that an export was made from, is as good as what came of it.

Why: `model` is the one that must be good, `against` what it is measured by. The other way round the gate passes whenever the teacher is
better than its student, which it nearly always is, and a bad student is delivered.

Example:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, gold, q8, q4]
        metrics: [errant]
        gates:
          close: {model: teacher, metric: errant_f0.5, against: q8, margin: 0.05}

Use instead:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, gold, q8, q4]
        metrics: [errant]
        gates:
          close: {model: q8, metric: errant_f0.5, against: teacher, margin: 0.05}

Fix: swaps the two names. It is unsafe: the gate says something else then.
"""

from collections.abc import Iterator

from distillc.spec.claims import claims
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import fix, replace
from distillc.spec.pedigree import pedigree
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for claim in claims(context):
        if claim.model == claim.against:
            continue
        family = pedigree(context)
        exported = claim.model in family.exported_from(claim.against)
        if exported or claim.model in family.taught_by(claim.against):
            model, against = claim.body.get("model"), claim.body.get("against")
            assert model is not None and against is not None
            yield warning(
                "D607",
                f"`{shorten(claim.name)}` asks whether `{shorten(claim.model)}` is as good as `{shorten(claim.against)}`, "
                f"which {'is made from it' if exported else 'it teaches'}",
                claim.span,
                "swap `model` and `against`",
                fix=fix(context, "swap the two", replace(model, claim.against), replace(against, claim.model)),
            )
