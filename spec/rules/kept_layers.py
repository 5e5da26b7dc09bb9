"""The layers that a pruned student keeps do not fit the number that it says.

Why: `layers` says how many are kept and `keep` which; counted from 0, each once. Where the two disagree the run stops when the student
is built, which is after its teacher was trained.

Example:

    models:
      small: {uses: prune, from: teacher, layers: 3, keep: [0, 3]}

Use instead:

    models:
      small: {uses: prune, from: teacher, layers: 3, keep: [0, 1, 3]}

Fix: sets `layers` to the number of layers that are named. It is unsafe: one may be missing.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import fix, replace
from distillc.spec.nodes import SequenceNode, at, entries, uses, whole
from distillc.spec.rules import Context, error
from distillc.spec.values import counted
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("models")):
        field = context.table.capabilities("students", uses(step.value) or "").get("picks")
        keep, layers = at(step.value, field) if field else None, at(step.value, "layers")
        if not isinstance(keep, SequenceNode) or layers is None:
            continue
        named = [number for item in keep.items if (number := whole(item)) is not None]
        wanted = whole(layers)
        if wanted is None or len(named) < len(keep.items):
            continue
        negative = next((number for number in named if number < 0), None)
        twice = next((number for number in named if named.count(number) > 1), None)
        if negative is not None:
            yield error("D505", f"there is no layer {negative}: layers count from 0", keep.span, "count from the first layer, which is 0")
        elif twice is not None:
            yield error("D505", f"`{shorten(step.key)}` keeps layer {twice} twice", keep.span, "name each layer once")
        elif len(named) != wanted:
            yield error(
                "D505",
                f"`{field}` names {counted(len(named), 'layer')}, and `layers` says {wanted}",
                keep.span,
                f"name {wanted}, or write `layers: {len(named)}`",
                fix=fix(context, f"write `layers: {len(named)}`", replace(layers, str(len(named)))),
            )
