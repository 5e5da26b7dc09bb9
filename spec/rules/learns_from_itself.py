"""A model is its own teacher, or the smaller model teaches the larger one that it was cut from.

Why: a soft loss whose teacher is the model that the training starts from is 0 from the first step, and so is its gradient: nothing is
learnt. (Beside a hard loss it holds the model in place, and training as if quantized needs it; both are left alone.) That is certain for
the built-in divergences, and an error. A teacher that was cut from the model under training most likely has `model` and `teacher`
exchanged: a warning.

Example:

    train:
      student: {model: teacher, data: clean, losses: {soft: {uses: forward_kl, teacher: small}}}

Use instead:

    train:
      student: {model: small, data: clean, losses: {soft: {uses: forward_kl, teacher: teacher}}}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import at, entries, text, uses
from distillc.spec.pedigree import Pedigree, pedigree
from distillc.spec.rules import Context, error, warning
from distillc.spec.wording import shorten

_DIVERGENCES = frozenset({"forward_kl", "reverse_kl", "jsd"})
"""0 between a distribution and itself."""


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("train")):
        family = pedigree(context)
        node = at(step.value, "model")
        model, losses = text(node), entries(at(step.value, "losses"))
        teachers = [(place, text(place)) for loss in losses if (place := at(loss.value, "teacher")) is not None]
        if node is None or model is None or not teachers or any(at(step.value, key) is not None for key in ("fake_quantize", "on_policy")):
            continue
        soft = len(teachers) == len(losses) and all(uses(loss.value) in _DIVERGENCES for loss in losses)
        if soft and all(teacher == model for _, teacher in teachers):
            message = f"`{shorten(step.key)}` starts from `{shorten(model)}` and learns from it: there is nothing to learn"
            label = Label(node.span, "where it starts")
            yield error("D407", message, teachers[0][0].span, "name another teacher, or add a hard loss", related=(label,))
        for place, teacher in teachers:
            if teacher and teacher != model and _cut_from(teacher, model, family):
                message = f"`{shorten(teacher)}` teaches `{shorten(model)}`, which it was cut from"
                yield warning(
                    "D407", message, place.span, "are `model` and `teacher` the wrong way round?", related=(Label(node.span, "is taught"),)
                )


def _cut_from(teacher: str, model: str, family: Pedigree) -> bool:
    """Whether the teacher is made from the model by cutting alone."""
    names = family.ancestors(teacher)
    return model in names and all(family.sections.get(name) == "models" for name in names[: names.index(model)])
