"""A student learns from a teacher's first few tokens alone.

Why: the ids that a capture keeps are all that a soft loss sees; the rest is one bucket, in which the student is free. With ten ids and no
hard loss beside it, students elsewhere ended up repeating themselves (https://github.com/modelscope/easydistill/issues/37). The default
keeps up to 64.

Example:

    capture:
      seen: {data: clean, teacher: teacher, top_k: 8}
    train:
      student: {model: small, data: clean, losses: {soft: {uses: forward_kl, teacher: teacher}}}

Use instead:

    capture:
      seen: {data: clean, teacher: teacher, top_k: 64}
    train:
      student: {model: small, data: clean, losses: {soft: {uses: forward_kl, teacher: teacher}}}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import at, entries, text, whole
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten

THIN = 10


def check(context: Context) -> Iterator[Diagnostic]:
    for capture in entries(context.at("capture")):
        top_k, teacher = at(capture.value, "top_k"), text(at(capture.value, "teacher"))
        kept = whole(top_k)
        if top_k is None or kept is None or teacher is None or not 0 < kept <= THIN:
            continue
        for step in entries(context.at("train")):
            losses = entries(at(step.value, "losses"))
            same_rows = text(at(step.value, "data")) == text(at(capture.value, "data"))
            if losses and same_rows and all(text(at(loss.value, "teacher")) == teacher for loss in losses):
                label = Label(step.key_span, "has no other loss")
                message = f"`{shorten(step.key)}` learns from {kept} ids for a token and from nothing else"
                yield warning("D406", message, top_k.span, "keep more (the default is 64), or add a hard loss", related=(label,))
