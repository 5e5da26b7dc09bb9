"""A gate compares a model that its evaluation does not evaluate.

Why: a gate reads the results of its evaluation, so both of its models must be among those. A comparison that is claimed and never
measured is not rare: a public walk-through of distillation says that the student almost matches its teacher and evaluates no teacher
(https://github.com/nebius/token-factory-cookbook).

Example:

    evaluate:
      test:
        data: pairs.test
        models: [student, q8]
        metrics: [errant]
        gates: {close: {model: q8, metric: errant_f0.5, against: teacher}}

Use instead:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, q8]
        metrics: [errant]
        gates: {close: {model: q8, metric: errant_f0.5, against: teacher}}

Fix: adds the model to those of the evaluation. Unsafe: one more model has to answer.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import append, fix
from distillc.spec.nodes import SequenceNode, entries, items, text
from distillc.spec.rules import Context, error
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("evaluate")):
        models = context.at("evaluate", step.key, "models")
        if not isinstance(models, SequenceNode):
            continue
        evaluated = {text(item) for item in items(models)}
        for gate in entries(context.at("evaluate", step.key, "gates")):
            for side in ("model", "against"):
                node = context.at("evaluate", step.key, "gates", gate.key, side)
                name = text(node)
                definition = context.definitions.get(name) if name else None
                if node and name and definition and definition.kind == "model" and name not in evaluated:
                    message = f"`{shorten(name)}` is not among the models of `{shorten(step.key)}`"
                    added = fix(context, f"add `{shorten(name)}` to `models`", append(models, name))
                    yield error("D601", message, node.span, f"add `{shorten(name)}` to its `models`", fix=added)
