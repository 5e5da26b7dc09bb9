"""A gate compares a model that its evaluation does not evaluate.

evaluate:
  test: {models: [teacher, q8], gates: {better: {model: q8, metric: errant_f0.5, against: gold}}}     # add gold to models
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
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
                    yield error("D601", message, node.span, f"add `{shorten(name)}` to its `models`")
