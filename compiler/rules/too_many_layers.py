"""A student that keeps more layers than the model has that it is cut from.

The run would stop when the student is built: after the training of its teacher, where it is cut from one.

    models:
      big: {uses: transformers, path: big.gguf}            # 30 layers
      small: {uses: prune, from: big, layers: 32}          # D553
"""

from collections.abc import Iterator

from distillc.compiler.lower.graph import Graph
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic


def check(graph: Graph) -> Iterator[Diagnostic]:
    for name, body in graph.spec.models.items():
        model = graph.models.get(name)
        parent = graph.models.get(body.from_) if body.from_ else None
        if model is None or parent is None:
            continue
        kept, there = model.facts.layers, parent.facts.layers
        if kept is not None and there is not None and kept > there:
            message = f"`{name}` cannot keep {kept} layers: `{parent.name}` has {there}"
            yield error(graph, "D553", ("models", name, "layers"), message, f"set `layers` to {there} or fewer")
