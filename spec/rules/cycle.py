"""Steps depend on one another in a circle, so none of them can be first.

Why: order in the file means nothing; what a step refers to must be made before it. The finding prints the loop, and marks each reference
of it.

Example:

    models:
      small: {uses: prune, from: student, layers: 2}
    train:
      student: {model: small, data: pairs, validation: pairs.validation, losses: {hard: cross_entropy}}

Use instead:

    models:
      small: {uses: prune, from: base, layers: 2}
    train:
      student: {model: small, data: pairs, validation: pairs.validation, losses: {hard: cross_entropy}}
"""

from collections.abc import Iterator

from distillc.spec.check import Reference
from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.references import owner, split_name
from distillc.spec.rules import Context, error
from distillc.spec.wording import shorten

MAX_SHOWN = 12


def check(context: Context) -> Iterator[Diagnostic]:
    for loop in _loops(_edges(context)):
        names = [reference_owner for reference_owner, _ in loop]
        shown = names if len(names) <= MAX_SHOWN else [*names[: MAX_SHOWN - 2], f"{len(names) - MAX_SHOWN + 1} more", names[-1]]
        path = " → ".join(shorten(name) for name in [*shown, names[0]])
        first = loop[0][1]
        related = tuple(Label(reference.span, f"`{shorten(name)}` needs this") for name, reference in loop[1:8])
        yield error("D204", f"a cycle: {path}", first.span, "one of these references must name something else", related=related)


def _edges(context: Context) -> dict[str, list[tuple[str, Reference]]]:
    """For each step, the steps it refers to. A gate stands for its evaluation."""
    edges: dict[str, list[tuple[str, Reference]]] = {}
    for reference in context.references:
        step = owner(reference)
        definition = context.definitions.get(split_name(reference.text)[0])
        if step is None or definition is None or definition.kind != reference.expects:
            continue
        named = context.definitions.get(step[1])
        if named is None or named.path[:2] != step:
            continue  # another step has its name, which is another finding
        edges.setdefault(step[1], []).append((definition.path[1], reference))
    return edges


def _loops(edges: dict[str, list[tuple[str, Reference]]]) -> Iterator[list[tuple[str, Reference]]]:
    """Each loop once, as (step, its reference to the next). Depth first without recursion: a chain may be long."""
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        trail: list[tuple[str, Reference]] = []  # steps on the way, each with the reference it was left by
        place: dict[str, int] = {start: 0}
        stack = [(start, iter(edges[start]))]
        while stack:
            step, targets = stack[-1]
            target, reference = next(targets, (None, None))
            if target is None or reference is None:
                stack.pop()
                done.add(step)
                place.pop(step)
                if trail:
                    trail.pop()
            elif target in place:
                yield [*trail[place[target] :], (step, reference)]
            elif target not in done:
                place[target] = len(stack)
                trail.append((step, reference))
                stack.append((target, iter(edges.get(target, ()))))
