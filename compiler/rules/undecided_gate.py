"""A gate asks for more than so few test rows can show, even if the two models answer alike on every one.

Why: where two models do the same on n rows, they may still differ on one in n/3.7 of all: 1 − 0.025^(1/n) is the upper end of a 95 %
interval on a share of which none was seen (Hanley, Lippman-Hand: If Nothing Goes Wrong, Is Everything All Right? JAMA 1983, which has
3/n for the one-sided 95 %). A margin below that is not shown by models that are equal, and the run ends with exit code 3 after all its
hours. Without a margin, a sign test needs 6 rows. Those numbers only make passing possible: where the two differ on one row in ten, 80 %
power takes (1.96 + 0.84)² · 0.1 / margin² rows (the z of a normal approximation to the paired difference).

Example:

    data: {prose: {uses: docstrings, packages: [email, asyncio], split: {validation: 20, test: 40}}}
    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, q8]
        metrics: [exact_match]
        gates: {close: {model: q8, metric: exact_match, against: teacher, margin: 0.02}}

Use instead:

    data: {prose: {uses: docstrings, packages: [email, asyncio], split: {validation: 20, test: 400}}}
    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, q8]
        metrics: [exact_match]
        gates: {close: {model: q8, metric: exact_match, against: teacher, margin: 0.02}}
"""

from collections.abc import Iterator
from math import ceil, log

from distillc.compiler.outline import Outline, Where
from distillc.compiler.rules import label, warning
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.references import split_name
from distillc.spec.variants import profile_applied

CHANCE = 0.025
"""One side of the interval that a gate looks at (`runtimes/proof/gates.py:clean_sheet`)."""
SIGNS = 6
"""The fewest rows of which a sign test can say at that level that one model is better: 0.5⁶ < 0.025 < 0.5⁵."""
DISAGREE = 0.1
POWER = (1.96 + 0.84) ** 2


def check(outline: Outline) -> Iterator[Diagnostic]:
    if profile_applied(outline.root):  # to be quick is what a profile may be for
        return
    for step in outline.of("evaluate"):
        place, reference = step.data_sets()[0]
        name, split = split_name(reference)
        known = [count for count in (outline.rows[name].most(split or "test"), step.body.get("limit")) if count is not None]
        if not known:
            continue
        rows = min(known)
        related = label(outline, place, f"{rows} rows at most")
        for gate, body in (step.body.get("gates") or {}).items():
            margin = body.get("margin")
            least = needed(margin)
            if rows >= least or body["level"] == "warn":  # that stops nothing
                continue
            where: Where = (*step.where, "gates", gate)
            if margin is None:
                message = f"`{gate}` has {rows} test rows, of which no model can be shown to be better"
                help = f"take {least} test rows or more"
            else:
                open_still = 1 - CHANCE ** (1 / max(rows, 1))
                message = f"`{gate}` has {rows} test rows, which leave {open_still:.3f} open where two models answer alike on every one"
                more = ceil(POWER * DISAGREE / margin**2)
                help = f"take {least} test rows or more, or {more} where the two differ on one row in ten"
                where = (*where, "margin")
            yield warning(outline, "D654", where, message, help, related=related)


def needed(margin: float | None) -> int:
    """The fewest rows of which a gate can pass if the two models are equal; without a margin, if one is always better."""
    if margin is None:
        return SIGNS
    return ceil(log(CHANCE) / log(1 - margin)) if 0 < margin < 1 else 0
