"""The `${…}` of a text: where they are, what they name, and values moved to where they stand (`interpolate.py`)."""

import re
from functools import lru_cache
from typing import NamedTuple

from distillc.spec.diagnostic import Span
from distillc.spec.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode
from distillc.spec.source import Source

_TOKEN = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_SECRET = re.compile(r"(?:env|file|cmd|keyring):")
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")

Path = tuple[str, ...]


class Site(NamedTuple):
    """One `${…}` in a text. `inner` is what stands in the braces; `closed`: whether there is a brace at its end."""

    start: int
    end: int
    inner: str
    closed: bool

    @property
    def path(self) -> Path:
        return tuple(self.inner.split("."))

    @property
    def is_path(self) -> bool:
        return _PATH.fullmatch(self.inner) is not None

    def span(self, node: ScalarNode, source: Source | None) -> Span:
        """Where the path in the braces stands; the whole text where that cannot be found, as behind an escape."""
        if source is None:
            return node.span
        begin = source.offset(node.span.line, node.span.column)
        end = source.offset(node.span.end_line, node.span.end_column)
        inner = self.inner if self.closed else ""
        written = "${" + inner
        for _ in range(str(node.value)[: self.start].count(written) + 1):
            found = source.text.find(written, begin, end)
            if found < 0:
                return node.span
            begin = found + len(written)
        return source.span(begin - len(inner or written), begin)


@lru_cache(maxsize=256)
def sites(text: str) -> tuple[Site, ...]:
    """The references in a text, secrets left out."""
    found = []
    for token in _TOKEN.finditer(text):
        inner = token.group(1)
        if inner is not None and not _SECRET.match(inner):
            found.append(Site(token.start(), token.end(), inner, bool(token.group(2))))
    return tuple(found)


def whole(node: Node) -> Site | None:
    """The reference that a text is, if it is nothing else."""
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str) or not node.value.startswith("${"):
        return None
    found = sites(node.value)
    return found[0] if len(found) == 1 and (found[0].start, found[0].end) == (0, len(node.value)) else None


def unescaped(text: str) -> str:
    return text.replace("$${", "${")


def inner(node: Node) -> list[Node]:
    if isinstance(node, SequenceNode):
        return list(node.items)
    return [entry.value for entry in node] if isinstance(node, MappingNode) else []


def below(node: Node, part: str) -> Node | None:
    """The value under one part of a path; a bare string stands for {uses: string}."""
    if isinstance(node, MappingNode):
        return node.get(part)
    if isinstance(node, SequenceNode):
        return node.items[int(part)] if part.isascii() and part.isdecimal() and len(part) < 6 and int(part) < len(node.items) else None
    return node if part == "uses" and isinstance(node.value, str) else None


def measured(node: Node) -> tuple[int, int, int]:
    """How many nodes, levels and characters a value has."""
    if isinstance(node, ScalarNode):
        return 1, 1, len(node.text)
    found = [measured(each) for each in inner(node)]
    return 1 + sum(n for n, _, _ in found), 1 + max((h for _, h, _ in found), default=0), sum(c for _, _, c in found)


def copied(node: Node, span: Span) -> Node:
    """The value with one place for all that is in it."""
    if isinstance(node, ScalarNode):
        return node._replace(span=span)
    if isinstance(node, SequenceNode):
        return SequenceNode(tuple([copied(item, span) for item in node.items]), span, node.flow)
    return MappingNode({e.key: Entry(e.key, span, copied(e.value, span)) for e in node}, span, node.flow)
