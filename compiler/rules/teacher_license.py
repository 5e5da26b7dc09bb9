"""A license does not let its model's outputs train another model, or asks something of whoever passes that model on.

Why: the student is bound by what its teacher's license says of outputs, whoever made the student. The Llama 3.1 license asks that it be
named "Llama…"; Gemma's terms, section 1.1(e), count it as a derivative; services forbid models that compete. What is not met is found by
a lawyer after the launch. Whether you have a permission no tool can know, so this warns. The terms of each license, with the day that
they were read, are in `compiler/tables/licenses.py`. https://www.llama.com/llama3_1/license/ · https://ai.google.dev/gemma/terms

Example:

    models: {big: {uses: transformers, path: models/big, family: llama-2, license: llama2}}
    generate: {answers: {from: learner, steps: [{uses: answer, model: big}]}}

Use instead:

    models: {big: {uses: transformers, path: models/big, family: qwen3, license: Apache-2.0}}
    generate: {answers: {from: learner, steps: [{uses: answer, model: big}]}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline, Where
from distillc.compiler.outline.models import Model
from distillc.compiler.outline.steps import Step
from distillc.compiler.rules import label, warning
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.references import split_name


def check(outline: Outline) -> Iterator[Diagnostic]:
    delivered = {name for step in outline.of("deploy") for model in _listed(step.body["from"]) for name in outline.ancestors(model)}
    for step in outline.of("train"):
        student = outline.models[step.name]
        for name, where in _teachers(outline, step).items():
            teacher = outline.models[name]
            if teacher.root == student.root or not teacher.has_weights:
                continue  # its weights are in the student: their license counts, outputs or not
            license = outline.known(teacher, "license")
            if license:
                yield from _findings(outline, student, teacher, where, license, passed_on=step.name in delivered)


def _findings(outline: Outline, student: Model, teacher: Model, where: Where, license: str, *, passed_on: bool) -> Iterator[Diagnostic]:
    from distillc.compiler.tables.licenses import terms

    found = terms(license)
    own = outline.known(student, "license")
    if found is None or found.outputs_may_train == "yes" or terms(own) is found:
        return
    related = label(outline, (*outline.models[teacher.root].where, "license"), found.title)
    notes = (f"{found.condition} ({found.url}, as of {found.checked})",)
    if found.outputs_may_train == "no":
        message = f"the {found.title} does not let outputs of `{teacher.name}` train `{student.name}`"
        help = "take a teacher whose license does, or ignore this with the permission that you have as the reason"
        yield warning(outline, "D850", where, message, help, notes=notes, related=related)
    elif passed_on:
        message = f"`{student.name}` is passed on, and the license of its teacher `{teacher.name}` has conditions: {found.title}"
        help = "meet them, and ignore this with how as the reason; or take a teacher without conditions"
        yield warning(outline, "D850", where, message, help, notes=notes, related=related)


def _teachers(outline: Outline, step: Step) -> dict[str, Where]:
    """Who teaches in a step itself, each with the place that says so."""
    found: dict[str, Where] = {}
    for name, loss in step.body["losses"].items():
        if loss.get("teacher") and outline.is_soft(loss["uses"]):
            found.setdefault(loss["teacher"], (*step.where, "losses", name, "teacher"))
    for teacher in outline.rows[split_name(step.body["data"])[0]].teachers:
        found.setdefault(teacher, (*step.where, "data"))
    return found


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
