"""A capture that no loss reads.

Why: a step under `capture` stands for the capture of a train step with the same `teacher` and the same `data`, written the same way.
Where none has both, it asks the teacher about every row for nothing, and the losses read another capture, with the default settings.

Example:

    capture:
      seen: {data: clean.train, teacher: teacher, temperatures: [1, 3]}
    train:
      student: {model: small, data: clean, losses: {soft: {uses: forward_kl, teacher: teacher, temperature: 3}}}

Use instead:

    capture:
      seen: {data: clean, teacher: teacher, temperatures: [1, 3]}
    train:
      student: {model: small, data: clean, losses: {soft: {uses: forward_kl, teacher: teacher, temperature: 3}}}

Fix: writes the rows as the train step does.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.node_edits import fix, replace
from distillc.spec.nodes import Node, at, entries, text
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    captures = entries(context.at("capture"))
    asked = _asked(context) if captures else {}
    for capture in captures:
        data, teacher = at(capture.value, "data"), text(at(capture.value, "teacher"))
        if data is None or text(data) is None or teacher is None or (text(data), teacher) in asked:
            continue
        near = next((place for (_, other), place in asked.items() if other == teacher), None)
        wanted = text(near)
        message = f"no loss reads `{shorten(capture.key)}`"
        if near is None or wanted is None:
            yield warning("D411", message, capture.key_span, f"no train step has a loss with the teacher `{shorten(teacher)}`")
        else:
            label = Label(near.span, f"these are the rows that a loss asks `{shorten(teacher)}` about")
            mend = fix(context, f"write `{wanted}`", replace(data, wanted))
            yield warning("D411", message, data.span, f"did you mean `{shorten(wanted)}`?", related=(label,), fix=mend)


def _asked(context: Context) -> dict[tuple[str, str], Node]:
    """(rows, teacher) of every loss with a teacher, and where the rows are named."""
    found: dict[tuple[str, str], Node] = {}
    for step in entries(context.at("train")):
        data = at(step.value, "data")
        for loss in entries(at(step.value, "losses")):
            rows, teacher = text(data), text(at(loss.value, "teacher"))
            if data is not None and rows and teacher:
                found.setdefault((rows, teacher), data)
    return found
