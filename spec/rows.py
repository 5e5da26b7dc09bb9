"""What the text says of the rows of a step: where they come from, how many they can be, whether they have targets, who answered them.

Rules ask here. What the text leaves open (a plugin that is not known, a name that leads nowhere) is None.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from distillc.spec.diagnostic import Span
from distillc.spec.nodes import Node, at, items, text, uses, whole
from distillc.spec.references import Definition, split_name
from distillc.spec.rules import Context

FILE_SOURCES = frozenset({"jsonl", "csv"})
_LIMITED = FILE_SOURCES | {"docstrings"}
"""Sources whose `limit` bounds their rows."""
_ONE_FROM_ONE = frozenset({"corrupt", "answer"})
"""Generators that make at most one row of each."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Rows:
    """A step of data, generate or curate. `source` is what it is made from, `data` the name of the data step that all comes from.

    `split`: the one split that it has rows of. `most`: an upper bound of its training rows, from the limits that are written.
    `bare`: the step that left the rows without targets. `answered`: the generator whose answers their targets are.
    """

    name: str
    section: str
    node: Node
    span: Span
    source: "Rows | None"
    data: str | None
    split: str | None
    most: int | None
    bare: Span | None
    answered: Node | None

    def way(self) -> "Iterator[Rows]":
        """The step itself, then what it is made from, up to the source."""
        step: Rows | None = self
        while step is not None:
            yield step
            step = step.source


def all_rows(context: Context) -> Mapping[str, Rows]:
    """By name. A step that is made from itself is left out."""
    if "rows" not in context.memo:
        context.memo["rows"] = _read(context)
    found: Mapping[str, Rows] = context.memo["rows"]
    return found


def rows_of(reference: str | None, context: Context) -> Rows | None:
    """The step that a reference names, with or without a split."""
    return all_rows(context).get(split_name(reference)[0]) if reference else None


def plugins(step: Rows) -> list[tuple[str | None, Node]]:
    """The generators or curators of a step, in order: their names and nodes."""
    return [(uses(item), item) for item in items(at(step.node, "steps"))]


def _read(context: Context) -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    lost: set[str] = set()  # in a loop, or made from what is: another rule reports it
    for name in context.definitions:
        waiting: dict[str, tuple[Definition, str | None]] = {}  # a way can be long: no recursion
        following: str | None = name
        while following is not None and following not in found and following not in waiting and following not in lost:
            definition = context.definitions.get(following)
            if definition is None or definition.kind != "rows":
                break
            reference = text(at(context.at(*definition.path), "from")) if definition.section != "data" else None
            waiting[following] = definition, reference
            following = split_name(reference)[0] if reference else None
        if following in waiting or following in lost:
            lost |= waiting.keys()
            continue
        for step, (definition, reference) in reversed(waiting.items()):
            node = context.at(*definition.path)
            if node is not None:
                source, only = split_name(reference) if reference else (None, None)
                found[step] = _step(definition, node, found.get(source) if source else None, only)
    return found


def _step(definition: Definition, node: Node, source: Rows | None, only: str | None) -> Rows:
    data = definition.name if definition.section == "data" else source.data if source else None
    split = (source.split if source else None) or only
    most, bare, answered = (source.most, source.bare, source.answered) if source else (None, None, None)
    if definition.section == "data":
        most = _most_read(node)
        bare = definition.span if uses(node) == "docstrings" else None
    elif definition.section == "generate":
        most = _most_entering(node, most)
        for item in items(at(node, "steps")):
            name, into = uses(item), text(at(item, "into")) or "target"
            if name not in _ONE_FROM_ONE:
                most = bare = answered = None
            elif name == "corrupt":
                bare, answered = (definition.span if text(at(item, "gold")) == "drop" else None), None
            elif into == "target":
                bare, answered = None, item
    return Rows(definition.name, definition.section, node, definition.span, source, data, split, most, bare, answered)


def _most_read(node: Node) -> int | None:
    limit = whole(at(node, "limit")) if uses(node) in _LIMITED else None
    held_out = sum(whole(at(node, "split", side)) or 0 for side in ("validation", "test"))
    return None if limit is None else limit - held_out


def _most_entering(node: Node, most: int | None) -> int | None:
    limit, skip = whole(at(node, "limit")), whole(at(node, "skip")) or 0
    if most is None:
        return limit
    return most - skip if limit is None else min(most - skip, limit)
