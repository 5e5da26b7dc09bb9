"""A plugin is installed and what it needs to run is not.

A base install has the language and the compiler; running needs an extra, and the message names it. It is an error of the plan, so that
nothing starts that could not end.

    quantize: {q8: {uses: gguf, …}}      # needs pip install 'distillc[local]'
"""

from collections.abc import Iterator

from distillc.compiler.lower.graph import Graph
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.errors import DistillError


def check(graph: Graph) -> Iterator[Diagnostic]:
    for (kind, name), where in graph.used.items():
        try:
            manifest = graph.plugins.manifest(kind, name)
        except DistillError:
            continue  # reported as an unknown or broken plugin
        if missing := graph.plugins.missing(manifest):
            message = f"{kind} '{name}' needs {', '.join(missing)}, not installed here"
            yield error(graph, "D152", where, message, graph.plugins.remedy(manifest))
