"""A model is delivered without waiting for the gate that is about it.

Why: the gate's no changes the exit code, and the bundle is there all the same, with a card that looks like any other. `needs` makes the
delivery wait for it; `needs: []` says that it need not.

Example:

    evaluate:
      test:
        data: pairs.test
        models: [gold, q8]
        metrics: [errant]
        gates: {better: {model: q8, metric: errant_f0.5, against: gold}}
    deploy:
      edge: {uses: bundle, from: q8}

Use instead:

    deploy:
      edge: {uses: bundle, from: q8, needs: better}

Fix: adds `needs`. It is unsafe: a gate that says no then keeps the bundle back.
"""

from collections.abc import Iterator

from distillc.spec.claims import claims, delivered
from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.node_edits import fix, insert
from distillc.spec.nodes import MappingNode, entries
from distillc.spec.rules import Context, warning
from distillc.spec.wording import listing, shorten


def check(context: Context) -> Iterator[Diagnostic]:
    gates = [claim for claim in claims(context) if claim.fails]
    for step in entries(context.at("deploy")):
        if not isinstance(step.value, MappingNode) or "needs" in step.value.entries:
            continue
        models = delivered(step.value)
        about = [gate for gate in gates if gate.model in models]
        if about:
            names = [gate.name for gate in about]
            needs = f"needs: {names[0]}" if len(names) == 1 else f"needs: [{', '.join(names)}]"
            yield warning(
                "D702",
                f"`{shorten(step.key)}` does not wait for {listing(names)}",
                step.key_span,
                f"add `{shorten(needs)}`",
                related=(Label(about[0].span, f"a gate of `{shorten(about[0].model)}`"),),
                fix=fix(context, f"add `{shorten(needs)}`", insert(step.value, "from", needs)),
            )
