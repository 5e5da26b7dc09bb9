"""One value of a spec's text replaced, put in or taken out, and not a byte beside it: what `distillc set` does.

The place comes from the spans of the nodes, never from writing the document anew (docs/adr/0003-set-splices.md). The new text is read
again and compared with what was wanted: an anchor that others repeat, or a style that this module has not thought of, is refused.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from distillc.spec.diagnostic import Diagnostic, Severity, Span
from distillc.spec.fixes import written
from distillc.spec.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode
from distillc.spec.parse import parse
from distillc.spec.resolve import Assignment, Stop, assign, inner_value
from distillc.spec.source import Source
from distillc.spec.text_fixes import same
from distillc.spec.wording import did_you_mean, shorten

_COLON = re.compile(r"[ \t]*:(?=[\s,}\]]|\Z)(?:[ \t]+&\S+)?")
_ALIAS = re.compile(r"(?:\s|(?<=\s)#[^\r\n]*)*\*[^\s,\[\]{}]+")
_REST_OF_LINE = re.compile(r"(?P<comma>[ \t]*,)?[ \t]*(?:(?<=[ \t])#[^\r\n]*)?(?=[\r\n]|\Z)")

Cut = tuple[int, int, str]
"""What stands between two offsets becomes a text."""


def with_value(source: Source, root: MappingNode, assignment: Assignment, typed: str, sections: Collection[str]) -> str:
    """The text with one value set, as it was `typed` where that can stand there. Raises Stop for what cannot be done, and says why."""
    in_profile = assignment.parts[0] == "profiles" and len(assignment.parts) > 1  # whose paths are keys: they lead through no step
    wanted = inner_value(root, assignment, 0) if in_profile else assign(root, assignment, sections)
    texts = [] if "\n" in typed or "\r" in typed or not typed else [typed]
    place = assignment.spans[-1]
    for value in dict.fromkeys([*texts, flow(assignment.value)]):
        try:
            text = _applied(source, _Splicer(source).put(root, None, assignment.parts, value))
        except _NotSpliced as reason:
            raise _refused(reason, place) from None
        if _means(text, wanted):
            return text
    raise _refused("values beside it would change, as where others repeat it by an alias", place)


def without(source: Source, root: MappingNode, path: Sequence[str], place: Span) -> str:
    """The text without the key or the item of a list at a path. Raises Stop where it leads nowhere, and for what cannot be done."""
    wanted = _taken(root, path, place)
    try:
        text = _applied(source, _Splicer(source).take(root, None, path))
    except _NotSpliced as reason:
        raise _refused(reason, place) from None
    if not _means(text, wanted):
        raise _refused("values beside it would change, as where others repeat it by an alias", place)
    return text


def flow(node: Node) -> str:
    """A value on one line, as it may stand anywhere in a spec; numbers as they were written."""
    if isinstance(node, MappingNode):
        return "{" + ", ".join(f"{written(entry.key)}: {flow(entry.value)}" for entry in node) + "}"
    if isinstance(node, SequenceNode):
        return "[" + ", ".join(flow(item) for item in node.items) + "]"
    return written(node.value) if isinstance(node.value, str) or not node.text else node.text


class _NotSpliced(Exception):
    """A place that is written in a way that cannot be changed by itself. The message says which."""


def _refused(reason: object, place: Span) -> Stop:
    return Stop(Diagnostic("D021", Severity.ERROR, f"cannot be set in the text: {reason}", place, help="change the file by hand"))


def _applied(source: Source, cuts: Sequence[Cut]) -> str:
    text = source.text
    for start, end, new in sorted(cuts, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _means(text: str, wanted: Node) -> bool:
    root, found = parse(Source("", text))
    return root is not None and not found and same(root, wanted)


def _taken(node: Node, path: Sequence[str], place: Span) -> Node:
    part = path[0]
    if isinstance(node, SequenceNode) and part.isdecimal() and int(part) < len(node.items):
        index = int(part)
        inner = (_taken(node.items[index], path[1:], place),) if len(path) > 1 else ()
        return node._replace(items=(*node.items[:index], *inner, *node.items[index + 1 :]))
    if isinstance(node, MappingNode) and part in node.entries:
        entry = node.entries[part]
        if len(path) > 1:
            return node.with_entries({**node.entries, part: entry._replace(value=_taken(entry.value, path[1:], place))})
        return node.with_entries({key: each for key, each in node.entries.items() if key != part})
    help = did_you_mean(part, node.entries, "there are") if isinstance(node, MappingNode) else None
    raise Stop(Diagnostic("D021", Severity.ERROR, f"there is no `{shorten(part)}` to take away", place, help))


@dataclass(frozen=True, slots=True)
class _Splicer:
    source: Source

    def put(self, node: Node, entry: Entry | None, path: Sequence[str], value: str) -> list[Cut]:
        """`entry` is the one that has `node` as its value; None for the root and for items of lists."""
        if not path:
            return self.write(node, entry, value)
        if entry is not None and self.is_alias(entry):
            raise _NotSpliced(f"`{entry.key}` repeats a value that stands elsewhere")
        if isinstance(node, SequenceNode):
            item = node.items[int(path[0])]
            if not self.is_inside(item, node):
                raise _NotSpliced(f"item {path[0]} repeats a value that stands elsewhere")
            return self.put(item, None, path[1:], value)
        if isinstance(node, MappingNode) and path[0] in node.entries:
            below = node.entries[path[0]]
            return self.put(below.value, below, path[1:], value)
        if isinstance(node, MappingNode) and node.entries:
            return self.append(node, f"{written(path[0])}: {_nested(path[1:], value)}")
        if isinstance(node, ScalarNode) and node.value is not None:  # a bare string stands for {uses: string}
            start, end = self.range(node.span)
            written_as = self.source.text[start:end]
            return self.write(node, entry, "{uses: " + written_as + f", {path[0]}: {_nested(path[1:], value)}" + "}")
        return self.write(node, entry, _nested(path, value))

    def write(self, node: Node, entry: Entry | None, value: str) -> list[Cut]:
        start, end = self.range(node.span)
        if entry is None:
            return [(start, end, value)]
        colon = self.after_colon(entry)
        if self.is_alias(entry):
            alias = _ALIAS.match(self.source.text, colon)
            if alias is None:
                raise _NotSpliced(f"`{entry.key}` has a value that cannot be found in the text")
            return [(self.source.text.rindex("*", colon, alias.end()), alias.end(), value)]
        if start == end:  # nothing is written there
            return [(colon, colon, f" {value}")]
        if isinstance(node, ScalarNode) or node.flow:
            return [(start, end, value)]
        # A block begins on a line of its own: the value goes up beside its key, and a comment that stands there stays.
        begin = self.source.starts[node.span.line - 1]
        begin -= 2 if self.source.text[begin - 2 : begin] == "\r\n" else 1
        return [(colon, colon, f" {value}"), (begin, end, "")]

    def append(self, mapping: MappingNode, entry: str) -> list[Cut]:
        *before, last = mapping
        end = self.end(last)
        rest = _REST_OF_LINE.match(self.source.text, end)
        column = last.key_span.column
        line_end = "\r\n" if "\r\n" in self.source.text else "\n"
        if mapping.flow:
            own_line = rest and not self.source.line(last.key_span.line)[: column - 1].strip()
            if rest is None or not own_line or rest["comma"]:
                return [(end, end, f", {entry}")]
            return [(end, end, ","), (rest.end(), rest.end(), f"{line_end}{' ' * (column - 1)}{entry}")]
        if rest is None:
            raise _NotSpliced(f"what follows `{last.key}` on its line is not understood")
        first = mapping.entries[next(iter(mapping.entries))]
        # Sections that stand apart get a neighbour that stands apart.
        apart = line_end if before and first.key_span.column == 1 and not self.source.line(last.key_span.line - 1).strip() else ""
        text = f"{line_end}{apart}{' ' * (first.key_span.column - 1)}{entry}"
        return [(rest.end(), rest.end(), text)]

    def take(self, node: Node, entry: Entry | None, path: Sequence[str]) -> list[Cut]:
        if entry is not None and self.is_alias(entry):
            raise _NotSpliced(f"`{entry.key}` repeats a value that stands elsewhere")
        if isinstance(node, MappingNode) and len(path) > 1:
            below = node.entries[path[0]]
            return self.take(below.value, below, path[1:])
        if isinstance(node, SequenceNode) and len(path) > 1:
            return self.take(node.items[int(path[0])], None, path[1:])
        if isinstance(node, MappingNode):
            places = [(self.source.offset(each.key_span.line, each.key_span.column), self.end(each)) for each in node]
            index = list(node.entries).index(path[0])
            empty = "{}"
        elif isinstance(node, SequenceNode):
            if not all(self.is_inside(item, node) for item in node.items):
                raise _NotSpliced("an item of the list repeats a value that stands elsewhere")
            places = [self.range(item.span) for item in node.items]
            index = int(path[0])
            empty = "[]"
        else:
            raise _NotSpliced("there is nothing to take away")
        if len(places) == 1:
            return self.write(node, entry, empty)
        return [self.cut(places, index, block=isinstance(node, SequenceNode) and not node.flow)]

    def cut(self, places: list[tuple[int, int]], index: int, *, block: bool) -> Cut:
        """One of several places, with its comma or its line. `block`: the dash before it goes too."""
        start, end = places[index]
        text = self.source.text
        if block:
            start = text.rindex("-", 0, start)
        first = self.source.position(start)[0]
        line_start = self.source.starts[first - 1]
        rest = _REST_OF_LINE.match(text, end)
        if rest and not text[line_start:start].strip():  # lines of its own, the comment beside it too
            number = self.source.position(rest.end())[0] + 1
            if number > len(self.source.starts):
                return (len(text[:line_start].rstrip("\r\n")), rest.end(), "")
            if number < len(self.source.starts) and _is_blank(self.source, number) and _is_blank(self.source, first - 1):
                number += 1  # no two empty lines where there was one on either side
            return (line_start, self.source.starts[number - 1], "")
        if index + 1 < len(places):
            following = places[index + 1][0]
            return (start, text.rindex("-", 0, following) if block else following, "")
        return (places[index - 1][1], end, "")

    # places

    def end(self, entry: Entry) -> int:
        """Where an entry ends in the text."""
        if self.is_alias(entry):
            alias = _ALIAS.match(self.source.text, self.after_colon(entry))
            if alias is None:
                raise _NotSpliced(f"`{entry.key}` has a value that cannot be found in the text")
            return alias.end()
        start, end = self.range(entry.value.span)
        return end if start < end else max(self.range(entry.key_span)[1], start)

    def after_colon(self, entry: Entry) -> int:
        """Behind the colon of an entry, and behind an anchor that stands there."""
        colon = _COLON.match(self.source.text, self.range(entry.key_span)[1])
        if colon is None:
            raise _NotSpliced(f"`{entry.key}` is not written as `key: value`")
        return colon.end()

    def is_alias(self, entry: Entry) -> bool:
        """An alias answers with the node that it repeats, which stands before it."""
        return self.range(entry.value.span)[0] < self.range(entry.key_span)[1]

    def is_inside(self, item: Node, outer: Node) -> bool:
        return self.range(outer.span)[0] <= self.range(item.span)[0]

    def range(self, span: Span) -> tuple[int, int]:
        return self.source.offset(span.line, span.column), self.source.offset(span.end_line, span.end_column)


def _is_blank(source: Source, number: int) -> bool:
    return number > 0 and not source.line(number).strip()


def _nested(path: Sequence[str], value: str) -> str:
    for part in reversed(path):
        value = "{" + f"{written(part)}: {value}" + "}"
    return value
