"""A model is to be trained, cut or quantized, and has no weights in a form that can be.

That takes a Hugging Face folder. Rules have no weights, and exports are made once, at the end.

    train: {s: {model: q8, …}}      # q8 is a GGUF export
"""

from collections.abc import Iterator

from distillc.compiler.document import Where
from distillc.compiler.lower.graph import Graph
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic

CHANGES = {"train": "trained", "quantize": "quantized", "models": "cut"}


def check(graph: Graph) -> Iterator[Diagnostic]:
    for model in graph.models.values():
        parent = graph.models.get(model.parent) if model.parent else None
        if parent is None or parent.format in ("hf", None):
            continue
        where: Where = (model.section, model.name, "model" if model.section == "train" else "from")
        message = f"`{parent.name}` cannot be {CHANGES[model.section]}: its format is {parent.format}"
        yield error(graph, "D552", where, message, "name a model with weights in a Hugging Face folder")
