"""A gate's margin is no part of its metric's scale.

Why: a margin is in units of the metric. These metrics go from 0 to 1, so a margin of 5, meant as percent, lets every model pass, however
bad it is: that proves nothing, and is an error. A margin of 0 leaves no room at all: it asks for the same as a gate without margin, that
the model be better, and two equal models do not pass it; that may be meant, so it is a warning. With 10 % of the items differing, a
margin of 0.02 takes some 1,500 items to decide, and 0.05 some 250.

Example:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, gold, q8, q4]
        metrics: [errant]
        gates:
          close: {model: q8, metric: errant_f0.5, against: teacher, margin: 5}

Use instead:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, gold, q8, q4]
        metrics: [errant]
        gates:
          close: {model: q8, metric: errant_f0.5, against: teacher, margin: 0.05}

Fix: divides a margin of more than 1 by 100. It is unsafe: percent is a guess.
"""

from collections.abc import Iterator

from distillc.spec.claims import Claim, claims
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import fix, replace
from distillc.spec.nodes import at, entries, number
from distillc.spec.rules import Context, error, warning
from distillc.spec.wording import shorten

FROM_0_TO_1 = ("exact_match", "errant", "gleu")


def check(context: Context) -> Iterator[Diagnostic]:
    for claim in claims(context):
        margin = number(claim.margin)
        if margin is None or claim.margin is None or claim.model == claim.against:
            continue
        if margin == 0:
            message = f"a margin of 0 asks that `{shorten(claim.model)}` be better, not that it be no worse"
            yield warning("D605", message, claim.margin.span, "write how much worse it may be, or leave `margin` out")
        elif margin >= 1 and _from_0_to_1(claim, context):
            percent = f"{margin / 100:g}" if 1 < margin < 100 else None
            yield error(
                "D605",
                f"every model passes with a margin of {margin:g}: `{shorten(claim.metric)}` goes from 0 to 1",
                claim.margin.span,
                f"write {percent} for {margin:g} percent" if percent else "write a part of 1, such as 0.05",
                fix=fix(context, f"write {percent}", replace(claim.margin, percent)) if percent else None,
            )


def _from_0_to_1(claim: Claim, context: Context) -> bool:
    if claim.metric in {judge.key for judge in entries(at(context.root, "evaluate", claim.evaluation, "judges"))}:
        return False
    return claim.metric.startswith(tuple(f"{name}_" for name in FROM_0_TO_1)) or claim.metric in FROM_0_TO_1
