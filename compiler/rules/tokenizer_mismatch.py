"""A soft loss stands between models whose tokens differ.

Why: every id that the data emits must mean the same on both sides, or the student learns the probabilities of other tokens; DistillKit
trains on in silence where it does not. Cut the student from the teacher or its base, or learn from the teacher's answers with a hard
loss. https://github.com/arcee-ai/DistillKit/issues/17 Vocabularies of two sizes stop the training, which is an error. Where only the
files of the tokenizers differ, their tokens may still be the same, so that is a warning.

Example:

    models: {other: {uses: transformers, path: models/other, license: MIT}}
    train: {student: {model: other, data: clean, losses: {soft: {uses: forward_kl, teacher: teacher}}}}

Use instead:

    models: {other: {uses: transformers, path: models/other, license: MIT}}
    train: {student: {model: other, data: clean, losses: {hard: cross_entropy}}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import error, warning
from distillc.spec.diagnostic import Diagnostic


def check(outline: Outline) -> Iterator[Diagnostic]:
    for step in outline.of("train"):
        student = outline.models[step.name]
        for name in student.soft:
            teacher = outline.models[name]
            if student.root == teacher.root:
                continue
            ours, theirs = outline.models[student.root], outline.models[teacher.root]
            facts = [outline.known(model, fact) for fact in ("tokenizer", "vocabulary") for model in (ours, theirs)]
            if any(fact not in model.facts for fact in ("tokenizer", "vocabulary") for model in (ours, theirs)):
                continue
            a, b, *sizes = facts
            if a and a == b:
                continue
            if b is None and outline.gathers(theirs):  # D450 asks for its tokenizer: an API is no model to cut from
                continue
            where = (*step.where, "losses", next(key for key, loss in step.body["losses"].items() if loss.get("teacher") == name))
            message = f"`{step.name}` descends from `{ours.name}` and its teacher `{name}` from `{theirs.name}`"
            help = "cut the student from the teacher or its base, or use a hard loss on the teacher's answers"
            notes = tuple(
                f"{model.name}: {model.facts['vocabulary'] or 'unknown'} tokens, {model.facts['tokenizer'] or 'unknown'}"
                for model in (ours, theirs)
            )
            if None not in sizes and sizes[0] != sizes[1]:
                yield error(outline, "D453", where, f"{message}, which has another vocabulary", help, notes=notes)
            elif a and b and a.split(":")[0] == b.split(":")[0]:
                yield warning(outline, "D453", where, f"{message}, which has another tokenizer", help, notes=notes)
            else:
                yield warning(outline, "D453", where, f"{message}: nothing here says that their tokens are the same", help)
