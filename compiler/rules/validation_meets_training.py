"""A train step looks for its best weights on rows that it is trained on.

The loss on them falls as long as training goes on, so the last weights always look best. A bare name under `validation` means all rows
of the step; write `NAME.validation`.

    train: {student: {model: small, data: pairs, validation: pairs, …}}
"""

from collections.abc import Iterator

from distillc.compiler.lower.graph import Graph, split_reference
from distillc.compiler.rows_origin import origins
from distillc.compiler.rules import warning
from distillc.spec.diagnostic import Diagnostic


def check(graph: Graph) -> Iterator[Diagnostic]:
    for name, step in graph.spec.train.items():
        if step.validation is None:
            continue
        training = origins(graph, step.data, "train")
        if any(a.meets(b) for a in training for b in origins(graph, step.validation, None)):
            message = f"`{step.validation}` has rows that `{name}` is trained on"
            help = f"write `{split_reference(step.validation)[0]}.validation`"
            yield warning(graph, "D351", ("train", name, "validation"), message, help)
