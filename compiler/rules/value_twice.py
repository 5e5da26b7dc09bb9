"""Two values of an evaluation have one name, so that one of them would be lost.

A metric's values are called after its plugin, a judge's after the name that the evaluation gives it. So a metric stands once among
`metrics`, and no judge is called as a metric is.

    evaluate:
      test: {metrics: [exact_match, {uses: exact_match, ignore_case: true}], judges: {gleu: harper}, …}
"""

from collections.abc import Iterator

from distillc.compiler.document import Where
from distillc.compiler.lower.graph import Graph
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic


def check(graph: Graph) -> Iterator[Diagnostic]:
    for evaluation, body in graph.spec.evaluate.items():
        seen: set[str] = set()
        for index, metric in enumerate(body.metrics):
            if metric.uses in seen:
                place: Where = ("evaluate", evaluation, "metrics", index)
                yield error(
                    graph, "D652", place, f"metric `{metric.uses}` stands twice", "keep one, or add a second evaluation for the other"
                )
            seen.add(metric.uses)
        for judge in body.judges:
            if judge in seen:
                place = ("evaluate", evaluation, "judges", judge)
                yield error(graph, "D652", place, f"judge `{judge}` has the name of a metric", "give the judge another name")
