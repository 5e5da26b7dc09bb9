"""A model is delivered that nothing evaluates.

Why: what is evaluated should be what is delivered, byte for byte. Exports lose more than precision: their chat template, their stop
tokens; then the model that was tested in training is fine and the export writes gibberish
(https://github.com/ollama/ollama/issues/2334, https://github.com/unslothai/unsloth/issues/3899).

Example:

    evaluate: {test: {data: pairs.test, models: [small, student], metrics: [errant]}}
    deploy: {edge: {uses: bundle, from: q8}}

Use instead:

    evaluate: {test: {data: pairs.test, models: [small, student, q8], metrics: [errant]}}
    deploy: {edge: {uses: bundle, from: q8}}

Fix: adds the model to the only evaluation that there is. It is unsafe: it has to answer all test rows.
"""

from collections.abc import Iterator

from distillc.spec.claims import candidates, delivered, evaluated, evaluations
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import append, fix
from distillc.spec.nodes import entries
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    seen = evaluated(context)
    lists = [(evaluation.key, listed.value) for evaluation, listed, _ in evaluations(context)]
    for step in entries(context.at("deploy")):
        for name, node in delivered(step.value).items():
            definition = context.definitions.get(name)
            if name in seen or definition is None or definition.kind != "model":
                continue
            among = candidates(context, name)
            if among and seen.issuperset(among):
                continue
            where = f"to the models of `{shorten(lists[0][0])}`" if lists else "to the models of a step of `evaluate`"
            yield warning(
                "D701",
                f"`{shorten(name)}` is delivered and never evaluated",
                node.span,
                f"add it {where}",
                fix=fix(context, "evaluate it", append(lists[0][1], name)) if len(lists) == 1 else None,
            )
