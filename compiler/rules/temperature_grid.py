"""A loss asks for a temperature that the capture does not record.

Outside of the ids that are kept, a teacher's distribution is known by one number a temperature; between them there is nothing to read.

    capture: {seen: {data: clean, teacher: big, temperatures: [1, 2]}}
    train:   {s: {data: clean, losses: {soft: {uses: forward_kl, teacher: big, temperature: 3}}, …}}
"""

from collections.abc import Iterator

from distillc.compiler.lower.graph import Graph
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic


def check(graph: Graph) -> Iterator[Diagnostic]:
    for step, body in graph.spec.train.items():
        draft = graph.drafts.get(step)
        for name in body.losses:
            if draft is None or f"signals.{name}" not in draft.inputs:
                continue
            capture = graph.drafts[draft.inputs[f"signals.{name}"].stage]
            asked = draft.config["losses"][name].get("temperature", 1.0)
            grid = capture.config["temperatures"]
            if asked not in grid:
                message = f"`{capture.id}` does not record temperature {asked:g}"
                help = f"add it to `capture.{capture.id}.temperatures`, or take one of {', '.join(f'{t:g}' for t in grid)}"
                yield error(graph, "D452", ("train", step, "losses", name), message, help)
