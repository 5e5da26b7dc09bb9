"""A deploy step would write outside of the spec's folder, over the spec, or where another deploy step writes.

A bundle is copied to `path`, and what stood there before goes. So a path is relative, stays below the spec's folder, and belongs to one
step.

    deploy: {edge: {uses: bundle, from: q8, path: ../dist}}
"""

from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath

from distillc.compiler.lower.graph import Graph
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic


def check(graph: Graph) -> Iterator[Diagnostic]:
    taken: dict[tuple[str, ...], str] = {}
    for name in graph.spec.deploy:
        draft = graph.drafts.get(name)
        path = draft.config.get("path") if draft else None
        if not isinstance(path, str):
            continue
        where = ("deploy", name, "path")
        parts = tuple(part for part in PurePosixPath(path.replace("\\", "/")).parts if part != ".")
        if PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive or path.startswith(("~", "\\")) or ".." in parts or not parts:
            yield error(graph, "D651", where, f"`{path}` is no folder below the spec's", "write a relative path, such as `dist/`")
            continue
        for other, step in taken.items():
            if parts[: len(other)] == other or other[: len(parts)] == parts:
                message = f"`{name}` writes to `{path}`, where `{step}` writes"
                yield error(graph, "D651", where, message, "give each deploy step a folder of its own")
        taken[parts] = name
