"""A soft loss needs the teacher's log-probabilities for given tokens, and none are to be had.

Why: they come from a model with weights in a form that an engine here can score tokens with (`does: [score_tokens]`). Rules have no
probabilities, and some engines only generate. The other way round, a hard loss looks at no teacher: one that is named there was meant
for something else.

Example:

    models: {rules: harper}
    train: {student: {model: small, data: clean, losses: {soft: {uses: forward_kl, teacher: rules}}}}

Use instead:

    models: {rules: harper}
    generate: {answers: {from: learner, steps: [{uses: answer, model: rules}]}}
    train: {student: {model: small, data: clean, losses: {hard: cross_entropy}}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic

SCORING = frozenset({"score_tokens", "hidden_states"})


def check(outline: Outline) -> Iterator[Diagnostic]:
    for step in outline.of("train"):
        for name, loss in step.body["losses"].items():
            where = (*step.where, "losses", name)
            uses, teacher = loss["uses"], loss.get("teacher")
            if not outline.is_soft(uses):
                if teacher:
                    help = "take `teacher` out, or use a soft loss"
                    yield error(outline, "D450", (*where, "teacher"), f"`{uses}` looks at no teacher", help)
            elif teacher is None:
                yield error(outline, "D450", where, f"`{uses}` needs a teacher", "name a model: `teacher: NAME`")
            elif (format := outline.known(outline.models[teacher], "format")) and not _scores(outline, format):
                message = f"`{uses}` needs log-probabilities, and `{teacher}` cannot give any"
                notes = (f"its format is {format}; engines here that read it score no tokens",)
                help = "name a teacher with weights in a Hugging Face folder"
                yield error(outline, "D450", (*where, "teacher"), message, help, notes=notes)


def _scores(outline: Outline, format: str) -> bool:
    return any(SCORING & set(outline.capabilities("engines", name).get("does", ())) for name in outline.readers(format))
