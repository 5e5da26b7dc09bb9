"""A train step looks at validation rows that it is trained on.

Why: the loss on them falls as long as training goes on, so the last weights always look best. A bare name under `validation` means all
rows of the step; write `NAME.validation`.

Example:

    train:
      teacher: {model: base, data: pairs, validation: pairs, early_stopping: {patience: 2}, losses: {hard: cross_entropy}}

Use instead:

    train:
      teacher: {model: base, data: pairs, validation: pairs.validation, early_stopping: {patience: 2}, losses: {hard: cross_entropy}}

Fix: names the validation split, where the rows have one.
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.outline.steps import Step
from distillc.compiler.rules import label, respelled, warning
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.references import split_name


def check(outline: Outline) -> Iterator[Diagnostic]:
    for step in outline.of("train"):
        if not validates_on_training(outline, step):
            continue
        validation: str = step.body["validation"]
        where = (*step.where, "validation")
        message = f"`{validation}` has rows that `{step.name}` is trained on"
        name = split_name(validation)[0]
        help, fix = f"write `{name}.validation`", None
        if "validation" in outline.rows[name].splits:
            fix = respelled(outline.span(where), validation, f"{name}.validation")
        else:
            help += f", and give `{outline.rows[name].data}` a `split` with `validation: N`"
        related = label(outline, (*step.where, "data"), "what it is trained on")
        yield warning(outline, "D351", where, message, help, related=related, fix=fix)


def validates_on_training(outline: Outline, step: Step) -> bool:
    """Where the training itself names held-out rows, that is the mistake (D454)."""
    data, validation = step.body["data"], step.body.get("validation")
    named = split_name(data)[1] in ("validation", "test")
    return validation is not None and not named and outline.meet(data, "train", validation, None)
