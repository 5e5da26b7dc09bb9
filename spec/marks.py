"""What the schema of a plugin's config says about its fields: references, other plugins, files, secrets, runtime knobs."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

MARK = "x-distillc"
STEP = "x-distillc-uses"
REFERENCES = ("rows", "model", "gate")


class Marked(NamedTuple):
    """A field with a mark (`rows`, `model`, `gate`, `file`, `secret`, `runtime`); `many` where it is a list of them.

    Of a field that takes another plugin, as a `JudgeStep` does, the mark is that plugin's kind: `judges`.
    """

    field: str
    mark: str
    many: bool


def marked_fields(schema: Mapping[str, Any]) -> tuple[Marked, ...]:
    """The marked fields of a config, in the order of its schema. Optional fields and lists are looked through."""
    found = []
    for name, field in schema.get("properties", {}).items():
        for mark, many in _marks(field, schema):
            found.append(Marked(name, mark, many))
            break
    return tuple(found)


def named(marks: Iterable[Marked], body: Mapping[str, Any], mark: str) -> list[str]:
    """The references of one kind (`rows`, `model`, `gate`) in a plugin's fields."""
    values = [body.get(marked.field) for marked in marks if marked.mark == mark]
    return [text for value in values for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]


def _marks(field: Any, root: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, bool]]:
    if not isinstance(field, Mapping) or depth > 8:
        return
    if isinstance(mark := field.get(MARK), str):
        yield mark, False
    if isinstance(kinds := field.get(STEP), list):
        yield from ((kind, False) for kind in kinds)
    reference = field.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/$defs/"):
        yield from _marks(root.get("$defs", {}).get(reference.removeprefix("#/$defs/")), root, depth + 1)
    for word in ("anyOf", "oneOf", "allOf"):
        for branch in field.get(word, ()):
            yield from _marks(branch, root, depth + 1)
    for item in (field.get("items"), *field.get("prefixItems", ())):
        yield from ((mark, True) for mark, _ in _marks(item, root, depth + 1))
