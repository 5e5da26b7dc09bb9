"""A soft loss needs the teacher's log-probabilities for given tokens, and none are to be had.

Why: they come from a model with weights in a form that an engine here can score tokens with (`does: [score_tokens]`). Rules have no
probabilities, and some engines only generate. A model behind an API, or one whose answers were recorded, tells log-probabilities of what it
writes and of nothing else (`generate_logprobs`). So it teaches by a soft loss on its own answers alone, which were asked with
`top_logprobs`; at temperature 1, for nobody knows how the tokens that were not told spread at another; and with a `tokenizer`, which says
what ids its tokens have. On gold targets, or on what others wrote, only a teacher whose weights are here can be asked. The other way round,
a hard loss looks at no teacher: one that is named there was meant for something else.

Example:

    models: {big: {uses: openai, name: big, base_url: "http://127.0.0.1:8080/v1", license: MIT}}
    generate: {answers: {from: learner, steps: [{uses: answer, model: big}]}}
    train: {student: {model: small, data: answers, losses: {soft: {uses: forward_kl, teacher: big}}}}

Use instead:

    models: {big: {uses: openai, name: big, base_url: "http://127.0.0.1:8080/v1", license: MIT, tokenizer: models/big}}
    generate: {answers: {from: learner, steps: [{uses: answer, model: big, top_logprobs: 20}]}}
    train: {student: {model: small, data: answers, losses: {soft: {uses: forward_kl, teacher: big}}}}
"""

from collections.abc import Iterator, Mapping
from typing import Any

from distillc.compiler.outline import Outline
from distillc.compiler.outline.models import Model
from distillc.compiler.outline.steps import Step
from distillc.compiler.rules import error, label
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.references import split_name
from distillc.spec.wording import listing

HARD = "use a hard loss on its answers"


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
            elif (format := outline.known(outline.models[teacher], "format")) and not outline.does(outline.models[teacher], "score_tokens"):
                model = outline.models[teacher]
                if outline.gathers(model):
                    yield from _gathered(outline, step, name, loss, model)
                    continue
                message = f"`{uses}` needs log-probabilities, and `{teacher}` cannot give any"
                engine = model.engine
                who = f"its engine `{engine['uses']}` scores" if engine else "engines here that read it score"
                able = _scorers(outline, model) if engine else []
                help = "name a teacher with weights: a Hugging Face folder or a GGUF file"
                if able:
                    help = f"take `engine` out, or name one that scores: {listing(able)}"
                yield error(outline, "D450", (*where, "teacher"), message, help, notes=(f"its format is {format}; {who} no tokens",))
    yield from _captured(outline)


def _scorers(outline: Outline, model: Model) -> list[str]:
    """The engines that could tell a model's log-probabilities for given tokens."""
    return [name for name in outline.readers(model.format) if "score_tokens" in outline.capabilities("engines", name).get("does", ())]


def _gathered(outline: Outline, step: Step, name: str, loss: Mapping[str, Any], teacher: Model) -> Iterator[Diagnostic]:
    """Of a teacher that tells log-probabilities of what it writes alone."""
    where = (*step.where, "losses", name)
    its = f"`{teacher.name}` tells log-probabilities of its own answers alone"
    rows = outline.rows[split_name(step.body["data"])[0]]
    answered = next((found for found in outline.of("generate") if rows.answered and found.name == rows.answered[0]), None)
    if answered is None or rows.answered is None:
        message = f"{its}, and the targets of `{step.body['data']}` are not its answers"
        yield error(outline, "D450", (*step.where, "data"), message, f"have it answer, with `top_logprobs: 20`, or {HARD}")
    else:
        place = (*answered.where, "steps", rows.answered[1])
        item = answered.body["steps"][rows.answered[1]]
        models = outline.named("generators", item, "model")
        here = label(outline, place, "who answers")
        if models != [teacher.name]:
            message = f"{its}, and the targets of `{step.body['data']}` are those of {', '.join(f'`{model}`' for model in models)}"
            alone = f"have `{teacher.name}` alone answer, or use a hard loss"
            help = alone if teacher.name in models else f"name who answered as the teacher, {alone}"
            yield error(outline, "D450", (*where, "teacher"), message, help, related=here)
        elif not outline.declared("generators", item, "logprobs"):
            message = f"`{teacher.name}` was not asked for the log-probabilities that `{loss['uses']}` needs"
            yield error(outline, "D450", (*where, "teacher"), message, f"add `top_logprobs: 20` to the step, or {HARD}", related=here)
    if loss.get("temperature", 1.0) != 1:
        message = f"at temperature {loss['temperature']:g} nobody knows what `{teacher.name}` thinks of the tokens that it does not tell"
        yield error(outline, "D450", (*where, "temperature"), message, "set `temperature: 1`, or name a teacher whose weights are here")
    field = outline.capabilities(teacher.kind, teacher.uses).get("tokenizer")
    if not (field and teacher.fields.get(field)):
        message = f"nobody says which tokens `{teacher.name}` has, so what it tells of them is of no use"
        help = f"add `{field or 'tokenizer'}: PATH` to it: its tokenizer.json, the folder that has one, or a .gguf file"
        yield error(outline, "D450", teacher.where, message, help, related=label(outline, where, "learns from its log-probabilities"))


def _captured(outline: Outline) -> Iterator[Diagnostic]:
    """A capture that asks such a teacher for temperatures which it cannot have."""
    for step in outline.of("capture"):
        where = (*step.where, "temperatures")
        if outline.exists(where) and outline.gathers(outline.models[step.body["teacher"]]) and set(step.body["temperatures"]) != {1.0}:
            message = f"of `{step.body['teacher']}` only what it tells is known, and that is at temperature 1"
            yield error(outline, "D450", where, message, "take `temperatures` out")
