"""A judge from the family of a model that it judges, or of that model's teacher.

Models prefer texts of their own kind, so such a verdict favours the student for its accent. Take rules (`harper`), or a model of
another family; names of one family and lineage are counted as one (`distillc.compiler.tables.families`).

    models:   {big: {uses: transformers, family: qwen2.5, …}, other: {uses: transformers, family: qwen3, …}}
    evaluate: {test: {judges: {style: {uses: llm, model: other}}, …}}      # big is the teacher
"""

from collections.abc import Iterator

from distillc.compiler.lower.graph import Graph
from distillc.compiler.lower.roles import roles
from distillc.compiler.rules import error
from distillc.compiler.tables.families import kin
from distillc.spec.diagnostic import Diagnostic


def check(graph: Graph) -> Iterator[Diagnostic]:
    for evaluation, body in graph.spec.evaluate.items():
        found = roles(graph, body.models)
        students = [name for name in body.models if found[name] in ("student", "teacher", "base")]
        teachers = [t for name in students if name in graph.models for t in graph.models[name].teachers]
        for judge, step in body.judges.items():
            for family, judging in _families(graph, f"{evaluation}/{judge}", step.uses):
                relative = next((name for name in dict.fromkeys([*teachers, *students]) if family & _kin(graph, name)), None)
                if relative:
                    shared = ", ".join(sorted(family & _kin(graph, relative)))
                    message = f"judge `{judge}` ({judging}) is of the family {shared}, as `{relative}` is"
                    yield error(
                        graph, "D650", ("evaluate", evaluation, "judges", judge), message, "take rules, or a model of another family"
                    )


def _families(graph: Graph, stage: str, plugin: str) -> Iterator[tuple[frozenset[str], str]]:
    """The families of a judge: those of its models, and what its manifest says."""
    for name in graph.judges.get(stage, ()):
        yield _kin(graph, name), name
    if plugin in graph.plugins.names("judges"):
        family = graph.plugins.manifest("judges", plugin).capabilities.get("family")
        if isinstance(family, str):
            yield kin(family), plugin


def _kin(graph: Graph, name: str) -> frozenset[str]:
    model = graph.models.get(name)
    return frozenset().union(*(kin(family) for family in model.families)) if model else frozenset()
