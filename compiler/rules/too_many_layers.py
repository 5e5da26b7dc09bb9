"""A student keeps more layers than the model has that it is cut from, or one that it has not.

Why: the run would stop when the student is built: after the training of its teacher, where it is cut from one.

Example:

    models:
      base: {uses: random, layers: 4}
      small: {uses: prune, from: base, layers: 6}

Use instead:

    models:
      base: {uses: random, layers: 4}
      small: {uses: prune, from: base, layers: 3}

Fix: takes as many layers as there are. Which one was meant in place of one that there is not nobody can tell.
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import error, respelled
from distillc.spec.diagnostic import Diagnostic


def check(outline: Outline) -> Iterator[Diagnostic]:
    for step in outline.of("models"):
        model = outline.models[step.name]
        if model.parent is None:
            continue
        parent = outline.models[model.parent]
        kept, there = outline.known(model, "layers"), outline.known(parent, "layers")
        if kept is not None and there is not None and kept > there:
            message = f"`{step.name}` cannot keep {kept} layers: `{parent.name}` has {there}"
            where = (*step.where, "layers")
            fix = respelled(outline.span(where), str(kept), there)
            yield error(outline, "D553", where, message, f"set `layers` to {there} or fewer", fix=fix)
        elif there is not None and (field := outline.capabilities(model.kind, model.uses).get("picks")):
            missing = next((layer for layer in step.body.get(field) or () if layer >= there), None)
            if missing is not None:
                message = f"`{step.name}` cannot keep layer {missing}: those of `{parent.name}` are 0 to {there - 1}"
                yield error(outline, "D553", (*step.where, field), message, f"name layers up to {there - 1}")
