"""Fixes of what is wrong with a spec as YAML, before it has any meaning: tabs, and keys that stand twice."""

import re

from distillc.spec.diagnostic import Applicability, Edit, Fix, Span
from distillc.spec.edit import apply
from distillc.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode
from distillc.spec.parse import parse
from distillc.spec.source import Source

MAX_TABS = 1000
"""Lines that are mended at once."""
_INDENT = re.compile(r"^ *\t[ \t]*", re.MULTILINE)


def same(one: Node, other: Node) -> bool:
    """Whether two values are alike, 1 and 1.0 told apart. Takes no longer than the smaller one is large."""
    if isinstance(one, ScalarNode) and isinstance(other, ScalarNode):
        return type(one.value) is type(other.value) and one.value == other.value
    if isinstance(one, SequenceNode) and isinstance(other, SequenceNode):
        return len(one.items) == len(other.items) and all(map(same, one.items, other.items))
    if isinstance(one, MappingNode) and isinstance(other, MappingNode):
        if one.entries.keys() != other.entries.keys():
            return False
        return all(same(entry.value, other.entries[entry.key].value) for entry in one)
    return False


def removed(source: Source, key: Span, value: Span, before: Span | None, *, flow: bool) -> Fix | None:
    """Takes out an entry that says nothing new, with its comma; not where a comment or an anchor would go too.

    `edit.settle` takes away its line, if nothing is left of it.

    `before` is the value of the entry before it.
    """
    start, end = source.offset(key.line, key.column), source.offset(value.end_line, value.end_column)
    if flow:
        start = source.offset(before.end_line, before.end_column) if before else start
    elif source.text[source.offset(key.line, 1) : start].strip(" "):
        return None  # `? key`, or a key with an anchor
    if start >= end or any(sign in source.text[start:end] for sign in "#&"):
        return None
    return Fix("remove it: it says the same", (Edit(source.span(start, end), ""),))


def untabbed(source: Source) -> Fix | None:
    """Two spaces for each tab that indents, where that makes YAML of the text. How deep a line was meant to be is a guess."""
    indents = [found.span() for found in _INDENT.finditer(source.text)]
    if not indents or len(indents) > MAX_TABS:
        return None
    edits = tuple(Edit(source.span(start, end), source.text[start:end].replace("\t", "  ")) for start, end in indents)
    fix = Fix("indent with two spaces for each tab", edits, Applicability.UNSAFE)
    return fix if parse(Source(source.name, apply(source, [fix])[0]))[0] is not None else None
