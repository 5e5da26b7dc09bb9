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
from distillc.compiler.outline.models import Model
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic


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
            elif (format := outline.known(outline.models[teacher], "format")) and not _scores(outline, outline.models[teacher]):
                message = f"`{uses}` needs log-probabilities, and `{teacher}` cannot give any"
                engine = outline.models[teacher].engine
                who = f"its engine `{engine['uses']}` scores" if engine else "engines here that read it score"
                help = "name a teacher with weights: a Hugging Face folder or a GGUF file"
                yield error(outline, "D450", (*where, "teacher"), message, help, notes=(f"its format is {format}; {who} no tokens",))


def _scores(outline: Outline, model: Model) -> bool:
    engines = [model.engine["uses"]] if model.engine else outline.readers(model.format)
    return any("score_tokens" in outline.capabilities("engines", name).get("does", ()) for name in engines)
