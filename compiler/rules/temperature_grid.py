"""A loss asks for a temperature that the capture does not record.

Why: outside of the ids that are kept, a teacher's distribution is known by one number a temperature; between them there is nothing to
read.

Example:

    capture: {seen: {data: clean, teacher: teacher, temperatures: [1, 2]}}
    train: {student: {model: small, data: clean, losses: {soft: {uses: forward_kl, teacher: teacher, temperature: 3}}}}

Use instead:

    capture: {seen: {data: clean, teacher: teacher, temperatures: [1, 2, 3]}}
    train: {student: {model: small, data: clean, losses: {soft: {uses: forward_kl, teacher: teacher, temperature: 3}}}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import error, label
from distillc.spec.diagnostic import Diagnostic


def check(outline: Outline) -> Iterator[Diagnostic]:
    captures = {(step.body["data"], step.body["teacher"]): step for step in outline.of("capture")}
    for step in outline.of("train") if captures else ():
        for name, loss in step.body["losses"].items():
            capture = captures.get((step.body["data"], loss.get("teacher")))
            if capture is None or not outline.is_soft(loss["uses"]):
                continue
            asked, grid = loss.get("temperature", 1.0), capture.body["temperatures"]
            if asked not in grid:
                message = f"`{capture.name}` does not record temperature {asked:g}"
                help = f"add it to `capture.{capture.name}.temperatures`, or take one of {', '.join(f'{t:g}' for t in grid)}"
                where = (*step.where, "losses", name, "temperature")
                related = label(outline, (*capture.where, "temperatures"), "what it records")
                yield error(outline, "D452", where, message, help, related=related)
