"""A deploy step would write outside of the spec's folder, over the spec, or where another deploy step writes.

Why: a bundle is copied to `path`, and the bundle that stood there before goes. So a path is relative, stays below the spec's folder, and
belongs to one step.

Example:

    deploy: {edge: {uses: bundle, from: q8, path: ../dist}}

Use instead:

    deploy: {edge: {uses: bundle, from: q8, path: dist/}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import error, label
from distillc.spec.diagnostic import Diagnostic


def check(outline: Outline) -> Iterator[Diagnostic]:
    taken: dict[tuple[str, ...], str] = {}
    for step in outline.of("deploy"):
        path = step.body.get("path")
        if not isinstance(path, str):
            continue
        where = (*step.where, "path")
        parts = below_spec(path)
        if parts is None:
            yield error(outline, "D651", where, f"`{path}` is no folder below the spec's", "write a relative path, such as `dist/`")
            continue
        for other, its in taken.items():
            if parts[: len(other)] == other or other[: len(parts)] == parts:
                message = f"`{step.name}` writes to `{path}`, where `{its}` writes"
                related = label(outline, ("deploy", its, "path"), f"`{its}` writes here")
                yield error(outline, "D651", where, message, "give each deploy step a folder of its own", related=related)
        taken[parts] = step.name


def below_spec(path: str) -> tuple[str, ...] | None:
    """The folders of a path from the spec's on; None where it leads elsewhere, on whatever system, or nowhere."""
    parts = tuple([part for part in path.replace("\\", "/").split("/") if part not in ("", ".")])
    elsewhere = path.startswith(("~", "/", "\\")) or path[1:2] == ":" or ".." in parts
    return None if elsewhere or not parts else parts
