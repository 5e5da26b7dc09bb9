"""Names: what a spec defines, what it refers to, and whether the two meet.

The rules and the compiler use the same functions, so an edge of the plan and an undefined name are found by the same reading.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from distillc.spec.check import Reference, check
from distillc.spec.diagnostic import Span
from distillc.spec.nodes import MappingNode, Node, at, entries
from distillc.spec.table import PluginTable

SPLITS = ("train", "validation", "test")
DefinitionKind = Literal["rows", "model", "gate", "signals", "evaluation", "delivery"]
KINDS: Mapping[str, DefinitionKind] = {
    "data": "rows",
    "generate": "rows",
    "curate": "rows",
    "capture": "signals",
    "models": "model",
    "train": "model",
    "quantize": "model",
    "choose": "model",
    "evaluate": "evaluation",
    "deploy": "delivery",
}
"""What the steps of a section are to those who name them."""

WORDS: Mapping[str, str] = {
    "rows": "rows",
    "model": "a model",
    "gate": "a gate",
    "signals": "captured signals",
    "evaluation": "an evaluation",
    "delivery": "a deploy step",
    "metric": "a metric",
}


class Definition(NamedTuple):
    """`path` is (section, name), and of a gate (evaluate, STEP, gates, name); `span` is that of the name."""

    name: str
    kind: DefinitionKind
    section: str
    span: Span
    path: tuple[str, ...]


def all_definitions(root: Node) -> Iterator[Definition]:
    """In the order of the file, doubles included."""
    for section in entries(root):
        kind = KINDS.get(section.key)
        if kind is None:
            continue
        for step in entries(section.value):
            yield Definition(step.key, kind, section.key, step.key_span, (section.key, step.key))
            if kind == "evaluation":
                for gate in entries(at(step.value, "gates")):
                    path = (section.key, step.key, "gates", gate.key)
                    yield Definition(gate.key, "gate", section.key, gate.key_span, path)


def definitions(root: Node) -> dict[str, Definition]:
    """By name; of doubles the first (a rule reports the others)."""
    found: dict[str, Definition] = {}
    for definition in all_definitions(root):
        found.setdefault(definition.name, definition)
    return found


def references(root: MappingNode, table: PluginTable) -> list[Reference]:
    """Every place that names rows, a model, a gate or a metric, by the markers in the schemas of the language and its plugins."""
    return check(root, table.language_schema()).references


def split_name(text: str) -> tuple[str, str | None]:
    """`pairs.test` as ("pairs", "test"), `pairs` as ("pairs", None). The split is not checked."""
    name, dot, split = text.partition(".")
    return name, split if dot else None


def owner(reference: Reference) -> tuple[str, str] | None:
    """The step that a reference stands in, as (section, name); None for one outside of steps."""
    if len(reference.path) < 2 or reference.path[0] not in KINDS:
        return None
    return str(reference.path[0]), str(reference.path[1])
