"""YAML nodes that know where they stand: frozen data, and reading that answers with nothing where a value is of another type.

`parse.py` makes them.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from distillc.spec.diagnostic import Span

Plain = str | int | float | bool | None | list[Any] | dict[str, Any]


class ScalarNode(NamedTuple):
    """`text` is the scalar as written without quotes; `value` what YAML 1.2 makes of it. `plain` is False for quotes and blocks."""

    value: str | int | float | bool | None
    text: str
    span: Span
    plain: bool = True


class SequenceNode(NamedTuple):
    """`flow`: written in brackets."""

    items: "tuple[Node, ...]"
    span: Span
    flow: bool = False


class Entry(NamedTuple):
    key: str
    key_span: Span
    value: "Node"


class MappingNode:
    """`flow`: written in braces. After `extends`, a profile or `--set` some entries may stand elsewhere, outside of `span`.

    No named tuple as the others are, for what it is iterated over are its entries.
    """

    __slots__ = ("entries", "flow", "span")

    def __init__(self, entries: dict[str, Entry], span: Span, flow: bool = False) -> None:
        self.entries: Final = entries
        self.span: Final = span
        self.flow: Final = flow

    def get(self, key: str) -> "Node | None":
        entry = self.entries.get(key)
        return entry.value if entry else None

    def with_entries(self, entries: dict[str, Entry]) -> "MappingNode":
        return MappingNode(entries, self.span, self.flow)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())


Node = ScalarNode | SequenceNode | MappingNode


def to_plain(node: Node) -> Plain:
    """The value alone: dicts, lists and scalars."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [to_plain(item) for item in node.items]
    return {entry.key: to_plain(entry.value) for entry in node}


def at(node: Node | None, *path: str | int) -> Node | None:
    """The node at a path below `node`, or None: for rules, which must not mind values of a wrong type."""
    for part in path:
        if isinstance(node, MappingNode):
            node = node.get(str(part))
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
        else:
            return None
    return node


def entries(node: Node | None) -> list[Entry]:
    """The entries of a mapping; none for anything else."""
    return list(node) if isinstance(node, MappingNode) else []


def items(node: Node | None) -> tuple[Node, ...]:
    """The items of a sequence, a scalar as a sequence of one; none for anything else."""
    if isinstance(node, SequenceNode):
        return node.items
    return (node,) if isinstance(node, ScalarNode) else ()


def text(node: Node | None) -> str | None:
    """The value of a string scalar; None for anything else."""
    return node.value if isinstance(node, ScalarNode) and isinstance(node.value, str) else None


def uses(node: Node | None) -> str | None:
    """The plugin that a step names: `uses`, or the bare string that stands for it."""
    return text(node) if isinstance(node, ScalarNode) else text(at(node, "uses"))


def number(node: Node | None) -> float | None:
    """The value of a number scalar; None for anything else, true and false too."""
    if isinstance(node, ScalarNode) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    return None


def whole(node: Node | None) -> int | None:
    """The value of a whole number, `1e3` too; None for anything else."""
    value = number(node)
    return int(value) if value is not None and abs(value) < 1e18 and value == int(value) else None
