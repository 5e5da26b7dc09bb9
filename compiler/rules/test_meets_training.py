"""A model is tested on rows that it, a model it descends from, or one that taught it was trained on.

Such a number says how well rows are remembered, and a teacher hands on what it remembers. Splits keep the two apart: train on
`NAME.train`, test on `NAME.test`; what comes from elsewhere and may overlap belongs through the curator `decontaminate`.

    train:    {student: {model: small, data: pairs.test, …}}
    evaluate: {test: {data: pairs.test, models: [student], …}}
"""

from collections.abc import Iterator

from distillc.compiler.lower.graph import Graph, split_reference
from distillc.compiler.rows_origin import Origin, origins
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic


def check(graph: Graph) -> Iterator[Diagnostic]:
    trained = {name: _trained_on(graph, name) for name in graph.models}
    for evaluation, body in graph.spec.evaluate.items():
        for data, reference in body.data_sets.items():
            test = origins(graph, reference, "test")
            step = split_reference(reference)[0]
            met = {train: what for model in dict.fromkeys(body.models) for train, what in _meets(graph, trained, model, test, step)}
            for train, what in met.items():
                where = ("evaluate", evaluation, "data") if isinstance(body.data, str) else ("evaluate", evaluation, "data", data)
                message = f"`{reference}` tests on rows that `{train}` {what}"
                yield error(graph, "D350", where, message, "test on another split, or on rows that come from elsewhere")


def _meets(
    graph: Graph, trained: dict[str, list[tuple[str, Origin]]], model: str, test: list[Origin], step: str
) -> Iterator[tuple[str, str]]:
    """The train steps behind a model whose rows meet the test rows, and what they did with them."""
    for behind in graph.behind(model):
        for what, origin in trained[behind]:
            if step not in origin.cleaned_of and any(origin.meets(other) for other in test):
                yield behind, what


def _trained_on(graph: Graph, name: str) -> list[tuple[str, Origin]]:
    step = graph.spec.train.get(name)
    if step is None:
        return []
    found = [("is trained on", origin) for origin in origins(graph, step.data, "train")]
    if step.validation:
        found += [("stops early by", origin) for origin in origins(graph, step.validation, None)]
    return found
