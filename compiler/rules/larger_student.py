"""A student is as large as the model that it is cut from, or larger than its teacher.

Why: a student is made to be smaller. One that keeps every layer is its parent under another name: hours of training, and nothing on the
edge is faster. A student larger than its teacher mostly is the two names in the wrong places.

Example:

    models:
      base: {uses: random, layers: 4}
      small: {uses: prune, from: base, layers: 4}

Use instead:

    models:
      base: {uses: random, layers: 4}
      small: {uses: prune, from: base, layers: 2}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.outline.models import Model
from distillc.compiler.rules import label, warning
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.variants import in_profiles, varied_steps


def check(outline: Outline) -> Iterator[Diagnostic]:
    varied = varied_steps(outline.root)
    for step in outline.of("models"):
        model = outline.models[step.name]
        parent = outline.models[model.parent] if model.parent else None
        if parent and outline.exists((*step.where, "layers")):
            kept, there = outline.known(model, "layers"), outline.known(parent, "layers")
            where = (*step.where, "layers")
            if kept is None or kept != there or step.where in varied or in_profiles(outline.root, outline.span(where) or outline.root.span):
                continue  # of a matrix, all layers may be what the others are compared with; a profile may leave nothing to be cut
            message = f"`{step.name}` keeps every layer of `{parent.name}`: {there}"
            yield warning(outline, "D554", where, message, f"keep fewer layers, or use `{parent.name}` itself")
    for step in outline.of("train"):
        student = outline.models[step.name]
        for name, loss in step.body["losses"].items():
            teacher = outline.models.get(loss.get("teacher") or "")
            if teacher is None or teacher.name not in student.soft:
                continue
            ours, theirs = _size(outline, student), _size(outline, teacher)
            if ours is not None and theirs is not None and ours > theirs:
                message = (
                    f"`{step.name}` is larger than its teacher `{teacher.name}`: {_words(outline, student)}, {_words(outline, teacher)}"
                )
                teaching = (*step.where, "losses", name, "teacher")
                related = label(outline, (*step.where, "model"), "the student")
                yield warning(outline, "D554", teaching, message, "take a smaller student, or swap the two", related=related)


def _size(outline: Outline, model: Model) -> int | None:
    """Something that grows with the weights of a transformer: layers times the square of the width, vocabulary aside."""
    layers, width = outline.known(model, "layers"), outline.known(model, "width")
    return layers * width**2 if layers and width else None


def _words(outline: Outline, model: Model) -> str:
    return f"{model.facts['layers']} layers of width {model.facts['width']}"
