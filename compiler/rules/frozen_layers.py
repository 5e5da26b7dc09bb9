"""A training freezes as many layers as the model has, or more.

Why: nothing would be left to learn, and the run stops when the training is about to begin: after its data were made and its teacher was
trained. Most often the number is that of the teacher, and the student was cut to fewer layers.

Example:

    models:
      base: {uses: random, layers: 12}
      small: {uses: prune, from: teacher, layers: 4}
    train:
      student:
        model: small
        data: clean
        trainer: {uses: local, freeze_layers: 6}
        losses: {soft: {uses: forward_kl, teacher: teacher}}

Use instead:

    models:
      base: {uses: random, layers: 12}
      small: {uses: prune, from: teacher, layers: 4}
    train:
      student:
        model: small
        data: clean
        trainer: {uses: local, freeze_layers: 2}
        losses: {soft: {uses: forward_kl, teacher: teacher}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import error, label
from distillc.spec.diagnostic import Diagnostic


def check(outline: Outline) -> Iterator[Diagnostic]:
    for step in outline.of("train"):
        trainer, model = step.body["trainer"], step.body["model"]
        field = outline.capabilities("trainers", trainer["uses"]).get("freezes")
        if field is None:
            continue
        frozen = trainer.get(field)
        layers = outline.known(outline.models[step.name], "layers") if frozen else None
        if layers is not None and frozen >= layers:
            message = f"`{step.name}` freezes {frozen} layers, and `{model}` has {layers}: nothing would be left to learn"
            related = label(outline, outline.models[model].where, "the model")
            yield error(outline, "D556", (*step.where, "trainer", field), message, f"freeze {layers - 1} or fewer", related=related)
