"""A model has to run, and no installed engine reads its format.

Engines say what they read, teachers, trainers and quantizers what they write; the compiler matches the two. `engine:` picks one by name,
and it must read the format too.

    quantize: {x: {uses: some_format, from: student}}
    evaluate: {test: {models: [x], …}}
"""

from collections.abc import Iterator

from distillc.compiler.document import Where
from distillc.compiler.lower.graph import Graph
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic


def check(graph: Graph) -> Iterator[Diagnostic]:
    for name, places in _run(graph).items():
        model = graph.models[name]
        if model.engine is not None:
            if model.format and not graph.reads(model.engine.uses, model.format):
                message = f"engine `{model.engine.uses}` does not read {model.format}, the format of `{name}`"
                yield error(graph, "D551", (*model.where, "engine"), message, _help(graph, model.format))
        elif not any(graph.reads(engine, model.format) for engine in graph.plugins.names("engines")):
            message = f"no installed engine reads {model.format or 'a model of unknown format'}, the format of `{name}`"
            yield error(graph, "D551", places[0], message, _help(graph, model.format))


def _run(graph: Graph) -> dict[str, list[Where]]:
    """The models that answer, are measured or are exported, with the places that say so."""
    by_stage = {model.stage: name for name, model in graph.models.items()}
    found: dict[str, list[Where]] = {name: [("quantize", name)] for name in graph.spec.quantize if name in graph.models}
    for draft in graph.drafts.values():
        for port, entry in draft.inputs.items():
            name = by_stage.get(entry.stage)
            if name and draft.kind in ("generate", "judge", "measure", "parity", "evaluate") and not port.startswith("parity"):
                found.setdefault(name, []).append(draft.where)
    return found


def _help(graph: Graph, format: str | None) -> str:
    known = [name for name in graph.plugins.names("engines") if graph.reads(name, format)]
    return (
        f"engines that do: {', '.join(known)}"
        if known
        else "install a plugin with an engine for it (`distillc plugins` lists what there is)"
    )
