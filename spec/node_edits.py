"""Edits of a mapping that fixes are made of: an entry taken out, one put in, a value replaced.

An edit is only given where it is sure to touch nothing else: not for values that stand elsewhere (in a profile, behind an alias), and
not where a comment might go with it.
"""

from distillc.spec.diagnostic import Applicability, Edit, Fix, Span
from distillc.spec.nodes import Entry, MappingNode, Node, SequenceNode
from distillc.spec.rules import Context
from distillc.spec.variants import within


def fix(context: Context, message: str, *edits: Edit | None, safe: bool = False) -> Fix | None:
    """None where an edit is missing or belongs to another file."""
    found = tuple(edit for edit in edits if edit is not None and edit.span.file == context.root.span.file)
    if not found or len(found) < len(edits):
        return None
    return Fix(message, found, Applicability.SAFE if safe else Applicability.UNSAFE)


def replace(node: Node, text: str) -> Edit:
    return Edit(node.span, text)


def insert(mapping: MappingNode, before: str, text: str) -> Edit | None:
    """Puts an entry before another one; not before a `? key` on lines, nor between an anchor and its key."""
    entry = mapping.entries.get(before)
    if entry is None or not within(entry.key_span, mapping.span) or entry.key_span == mapping.span:  # the bare name of a plugin
        return None
    start = _start(entry.key_span)
    if mapping.flow:
        return Edit(start, f"{text}, ")
    return Edit(start, f"{text}\n{' ' * (start.column - 1)}") if start.column == mapping.span.column else None


def append(sequence: Node | None, text: str) -> Edit | None:
    """Adds an item to a list that has some: behind the last in brackets, at the top of a list of lines, where no comment follows it."""
    if not isinstance(sequence, SequenceNode) or not sequence.items or not within(sequence.items[-1].span, sequence.span):
        return None
    if sequence.flow:
        return Edit(_end(sequence.items[-1].span), f", {text}")
    return Edit(_start(sequence.span), f"- {text}\n{' ' * (sequence.span.column - 1)}")


def remove(mapping: MappingNode, key: str) -> Edit | None:
    """Takes an entry out, with the comma or the line that belongs to it."""
    here = [entry for entry in mapping if within(entry.key_span, mapping.span)]
    place = next((index for index, entry in enumerate(here) if entry.key == key), None)
    if place is None or len(here) < 2 or not _on_one_line(here[place], mapping):
        return None
    entry = here[place]
    after = here[place + 1] if place + 1 < len(here) else None
    before = here[place - 1] if place else None
    if not mapping.flow and place and entry.key_span.column == mapping.span.column:
        return Edit(_between(entry.key_span, entry.value.span), "")  # `edit.settle` takes away the line, if nothing is left of it
    if after and after.key_span.line == entry.key_span.line + (0 if mapping.flow else 1):
        return Edit(_between(_start(entry.key_span), _start(after.key_span)), "")
    if before and mapping.flow and within(before.value.span, mapping.span) and before.value.span.end_line == entry.key_span.line:
        return Edit(_between(_end(before.value.span), _end(entry.value.span)), "")
    return None


def _on_one_line(entry: Entry, mapping: MappingNode) -> bool:
    return within(entry.value.span, mapping.span) and entry.value.span.end_line == entry.key_span.line


def _start(span: Span) -> Span:
    return Span(span.file, span.line, span.column, span.line, span.column)


def _end(span: Span) -> Span:
    return Span(span.file, span.end_line, span.end_column, span.end_line, span.end_column)


def _between(start: Span, end: Span) -> Span:
    return Span(start.file, start.line, start.column, end.end_line, end.end_column)
