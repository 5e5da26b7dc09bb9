"""A teacher is trained with smoothed labels, and taught from at a raised temperature.

Why: label smoothing wipes out what a teacher knows of the likeness of wrong answers, which is what a soft loss is after: "if a teacher
network is trained with label smoothing, knowledge distillation into a student network is much less effective" (Müller, Kornblith,
Hinton, When Does Label Smoothing Help?, 2019, https://arxiv.org/abs/1906.02629). A raised temperature brings the damage out, and at
temperature 1 it is small (Chandrasegaran et al., 2022, https://arxiv.org/abs/2206.14532).

Example:

    train:
      teacher: {model: base, data: pairs, losses: {hard: {uses: cross_entropy, label_smoothing: 0.1}}}
      student: {model: small, data: clean, losses: {soft: {uses: forward_kl, teacher: teacher, temperature: 2}}}

Use instead:

    train:
      teacher: {model: base, data: pairs, losses: {hard: cross_entropy}}
      student: {model: small, data: clean, losses: {soft: {uses: forward_kl, teacher: teacher, temperature: 2}}}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import Node, at, entries, number, text
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("train")):
        for loss in entries(at(step.value, "losses")):
            teacher, temperature = text(at(loss.value, "teacher")), number(at(loss.value, "temperature"))
            smoothing = _smoothing(teacher, context) if teacher and temperature is not None and temperature > 1 else None
            if smoothing and temperature is not None:
                label = Label(loss.key_span, f"learns from it at temperature {temperature:g}")
                message = f"the teacher `{shorten(teacher or '')}` is trained with smoothed labels"
                yield warning("D413", message, smoothing.span, "leave the smoothing out, or teach at temperature 1", related=(label,))


def _smoothing(teacher: str, context: Context) -> Node | None:
    for loss in entries(context.at("train", teacher, "losses")):
        node = at(loss.value, "label_smoothing")
        if (number(node) or 0) > 0:
            return node
    return None
