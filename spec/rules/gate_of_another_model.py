"""A delivery waits for gates that are about none of its models.

Why: the proof is of something else: of the model before it was quantized, or of the other export. What is lost in between no gate has
seen.

Example:

    evaluate:
      test:
        data: pairs.test
        models: [gold, student, q8]
        metrics: [errant]
        gates: {better: {model: student, metric: errant_f0.5, against: gold}}
    deploy:
      edge: {uses: bundle, from: q8, needs: better}

Use instead:

    evaluate:
      test:
        data: pairs.test
        models: [gold, student, q8]
        metrics: [errant]
        gates: {better: {model: q8, metric: errant_f0.5, against: gold}}
"""

from collections.abc import Iterator

from distillc.spec.claims import candidates, claims, delivered
from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import at, entries, items, text
from distillc.spec.pedigree import pedigree
from distillc.spec.rules import Context, warning
from distillc.spec.wording import listing, shorten


def check(context: Context) -> Iterator[Diagnostic]:
    steps = [step for step in entries(context.at("deploy")) if items(at(step.value, "needs"))]
    if not steps:
        return
    gates = {claim.name: claim for claim in claims(context)}
    family = pedigree(context)
    for step in steps:
        needs = at(step.value, "needs")
        needed = [gates.get(text(item) or "") for item in items(needs)]
        models = delivered(step.value)
        if needs is None or not models or None in needed:
            continue
        same = {other for name in models for other in (name, *candidates(context, name))}
        about = [gate for gate in needed if gate is not None]
        if any(gate.model in same or set(candidates(context, gate.model)) & models.keys() for gate in about):
            continue
        gate = about[0]
        origin = next((name for name in models if gate.model in family.exported_from(name)), None)
        what = f"{listing([gate.model])}, before it became `{shorten(origin)}`" if origin else listing([gate.model])
        yield warning(
            "D703",
            f"`{shorten(gate.name)}` is about {what}, and `{shorten(step.key)}` delivers {listing(models)}",
            needs.span,
            "need a gate whose `model` is delivered",
            related=(Label(gate.span_of("model"), "what the gate is about"),),
        )
