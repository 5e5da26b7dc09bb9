"""A generator asks for log-probabilities that nobody tells, or that nobody can use.

Why: `top_logprobs` is for models that tell log-probabilities with their answers: those behind an API, and recorded ones
(`generate_logprobs`). A model whose weights are here tells none while it writes: it is asked for all of them afterwards, once a soft loss
names it. And answers that are measured, not learned from, need none.

Example:

    generate: {answers: {from: learner, steps: [{uses: answer, model: teacher, top_logprobs: 20}]}}

Use instead:

    generate: {answers: {from: learner, steps: [{uses: answer, model: teacher}]}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic


def check(outline: Outline) -> Iterator[Diagnostic]:
    for step in outline.of("generate"):
        for index, item in enumerate(step.body["steps"]):
            field = outline.capabilities("generators", item["uses"]).get("logprobs")
            if not field or not item.get(field):
                continue
            where = (*step.where, "steps", index, field)
            effect = outline.rows[step.name].effects[index]
            if effect.answers is not None and effect.answers != "target":
                message = f"`{field}` is about answers to learn from, and these are measured"
                yield error(outline, "D456", where, message, f"take `{field}` out, or `into: {effect.answers}`")
                continue
            for name in outline.named("generators", item, "model"):
                model = outline.models[name]
                if outline.known(model, "format") and not outline.does(model, "generate_logprobs"):
                    message = f"`{name}` tells no log-probabilities with its answers"
                    scores = outline.does(model, "score_tokens")
                    why = ": a soft loss that names it asks for all of them" if scores else ""
                    yield error(outline, "D456", where, message, f"take `{field}` out{why}")
