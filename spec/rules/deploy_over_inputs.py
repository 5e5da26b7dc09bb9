"""A delivery writes to a folder that holds what the spec reads, or to one that belongs to a tool.

Why: a bundle replaces only a bundle. Where the folder holds anything else, data or weights for instance, the step fails, after
everything was trained and evaluated; `.distillc` is the store's and `.git` is git's.

Example:

    data: {more: {uses: jsonl, path: data/more.jsonl}}
    deploy: {edge: {uses: bundle, from: q8, path: data}}

Use instead:

    data: {more: {uses: jsonl, path: data/more.jsonl}}
    deploy: {edge: {uses: bundle, from: q8, path: dist}}
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.file_paths import file_paths
from distillc.spec.nodes import Entry, at, entries, text, uses
from distillc.spec.rules import Context, error
from distillc.spec.wording import shorten

OTHERS = (".distillc", ".git")


def check(context: Context) -> Iterator[Diagnostic]:
    steps = entries(context.at("deploy"))
    read = [(_parts(path), step, node) for step, node, path in file_paths(context)] if steps else []
    for step in steps:
        written = _path(step, context)
        folder = _parts(written) if written else ()
        node = at(step.value, "path")
        span = node.span if node else step.key_span
        if not folder or ".." in folder:  # another rule's finding
            continue
        if folder[0] in OTHERS:
            yield error("D705", f"`{shorten(step.key)}` writes into `{folder[0]}`, which is a tool's own", span, "name another folder")
            continue
        for path, reader, place in read:
            if path[: len(folder)] == folder:
                label = Label(place.span, "read from there")
                message = f"`{shorten(step.key)}` writes to `{shorten(written or '')}`, where `{shorten(reader.key)}` reads"
                yield error("D705", message, span, "name a folder that nothing else is in", related=(label,))
                break


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in PurePosixPath(path.replace("\\", "/")).parts if part != ".")


def _path(step: Entry, context: Context) -> str | None:
    """The folder that a deploy step writes; None for a target that writes none."""
    name = uses(step.value)
    if name is None or name not in context.table.names("targets"):
        return None
    schema = context.table.config_schema("targets", name).get("properties", {}).get("path")
    node = at(step.value, "path")
    default = schema.get("default") if schema else None
    return text(node) if node is not None else default if isinstance(default, str) else None
