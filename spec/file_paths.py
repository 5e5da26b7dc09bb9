"""The files that a spec reads, as its plugins mark them: for rules that look at paths."""

from collections.abc import Iterator

from distillc.spec.marks import marked_fields
from distillc.spec.nodes import Entry, ScalarNode, at, entries, text, uses
from distillc.spec.rules import Context

PACKAGE = "pkg://"
_KINDS = {"data": ("sources",), "models": ("teachers", "students")}


def file_paths(context: Context) -> Iterator[tuple[Entry, ScalarNode, str]]:
    """The step, the node and the path of each file or folder that data and models are read from; not of those inside of packages."""
    for section, kinds in _KINDS.items():
        steps = entries(context.at(section))
        fields = {name: _file_fields(context, kind, name) for kind in kinds for name in context.table.names(kind)} if steps else {}
        for step in steps:
            for key in fields.get(uses(step.value) or "", ()):
                node = at(step.value, key)
                path = text(node)
                if isinstance(node, ScalarNode) and path and not path.startswith(PACKAGE):
                    yield step, node, path


def _file_fields(context: Context, kind: str, name: str) -> list[str]:
    return [marked.field for marked in marked_fields(context.table.config_schema(kind, name)) if marked.mark == "file"]
