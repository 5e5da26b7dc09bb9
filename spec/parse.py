"""Text to nodes, by libyaml's events. Nothing raises: what is wrong becomes a Diagnostic, and only a syntax error or a limit stops.

The limits hold while libyaml reads, not after: events come one by one, and its look-ahead is bounded (a simple key has at most
1,024 characters), so a file of a million brackets ends at the 65th. An alias counts as many nodes as it stands for.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from distillc.spec.diagnostic import Diagnostic, Fix, Label, Severity, Span
from distillc.spec.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode
from distillc.spec.scalars import scalar_value
from distillc.spec.source import MAX_BYTES, Source, too_large
from distillc.spec.wording import shorten

MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_ALIASES = 100
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
"""Control characters, surrogates, non-characters and stray byte-order marks: what `c-printable` of YAML leaves out."""
_PROPERTIES = re.compile(r"(?:[&!]\S*|\s|#.*)*")
"""An anchor, a tag, and what may stand between them and their value."""


def parse(source: Source) -> tuple[Node | None, list[Diagnostic]]:
    """The root, or None where nothing can be read, and all that is wrong with the text as YAML."""
    if len(source.text) > MAX_BYTES or len(source.text.encode("utf-8", "replace")) > MAX_BYTES:
        return None, [too_large(source.name)]
    if forbidden := _FORBIDDEN.search(source.text):
        message = f"the character U+{ord(forbidden[0]):04X} is not allowed in a spec"
        return None, [Diagnostic("D002", Severity.ERROR, message, source.span(*forbidden.span()), help="remove it")]
    builder = _Builder(source)
    try:
        root = builder.document()
    except _Stop as stop:
        root = None
        builder.found.append(stop.diagnostic)
    except yaml.YAMLError as error:
        root = None
        builder.found.append(_syntax(source, error))
    return root, builder.found


class _Stop(Exception):
    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic


@dataclass(slots=True)
class _Anchor:
    """`node` is None while the anchored value is still being read. `size` in nodes, `height` in levels."""

    node: Node | None = None
    size: int = 0
    height: int = 0


class _Builder:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(source.text)
        self.found: list[Diagnostic] = []
        self.anchors: dict[str, _Anchor] = {}
        self.size = 0
        self.aliases = 0
        self.deepest = 0
        self.block = False  # whether the last scalar was a block, which blank lines after it may belong to

    def document(self) -> Node | None:
        self.loader.get_event()  # stream start
        start = self.loader.get_event()
        if isinstance(start, yaml.StreamEndEvent):
            self.error("D013", "the file is empty", Span(self.source.name, 1, 1, 1, 1), "a spec begins with `distill: 1`")
            return None
        if start.tags:
            self.error("D009", "the directive %TAG is not allowed", self.span(start), "YAML tags are refused; write plain values")
        root = self.node(self.loader.get_event(), 1)
        self.loader.get_event()  # document end
        more = self.loader.get_event()
        if not isinstance(more, yaml.StreamEndEvent):
            self.error("D012", "a spec is one document", self.span(more), "keep each spec in a file of its own")
        return root

    def node(self, event: Any, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, depth)
        self.count(1, depth, event)
        anchor = _Anchor()
        if event.anchor is not None:
            self.anchors[event.anchor] = anchor
        if event.tag is not None:
            self.error(
                "D009", f"the tag {shorten(event.tag)} is refused", self.span(event), "write the plain value; types come from the language"
            )
        before, outer = self.size, self.deepest
        self.deepest = depth
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.sequence(event, depth)
        else:
            node = self.mapping(event, depth)
        anchor.node, anchor.size, anchor.height = node, self.size - before + 1, self.deepest - depth
        self.deepest = max(self.deepest, outer)
        return node

    def alias(self, event: Any, depth: int) -> Node:
        span = self.span(event)
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            raise _Stop(_error("D007", f"more than {MAX_ALIASES} aliases", span, "use `extends` or `profiles` to share values"))
        anchor = self.anchors.get(event.anchor)
        if anchor is None:
            raise _Stop(
                _error(
                    "D007",
                    f"the alias *{shorten(event.anchor)} has no anchor before it",
                    span,
                    f"write &{shorten(event.anchor)} where the value stands",
                )
            )
        if anchor.node is None:
            raise _Stop(
                _error("D007", f"the alias *{shorten(event.anchor)} stands inside its own value", span, "a value cannot contain itself")
            )
        self.count(anchor.size, depth + anchor.height, event)
        return anchor.node

    def count(self, size: int, depth: int, event: Any) -> None:
        self.size += size
        self.deepest = max(self.deepest, depth)
        if depth > MAX_DEPTH:
            raise _Stop(
                _error("D005", f"nested more than {MAX_DEPTH} levels deep", self.span(event), "no part of the language is that deep")
            )
        if self.size > MAX_NODES:
            raise _Stop(
                _error("D006", f"more than {MAX_NODES:,} values, aliases counted in full", self.span(event), "keep data in data files")
            )

    def scalar(self, event: Any) -> ScalarNode:
        self.block = event.style in ("|", ">")
        plain = event.style is None or event.style == ""
        plain = plain and event.implicit[0]
        return ScalarNode(scalar_value(event.value) if plain else event.value, event.value, self.bare_span(event), plain)

    def sequence(self, event: Any, depth: int) -> SequenceNode:
        found: list[Node] = []
        last: Span | None = None
        while not isinstance(child := self.loader.get_event(), yaml.SequenceEndEvent):
            found.append(self.node(child, depth + 1))
            last = self.span(child) if isinstance(child, yaml.AliasEvent) else found[-1].span
        return SequenceNode(tuple(found), self.collection_span(event, child, last), bool(event.flow_style))

    def mapping(self, event: Any, depth: int) -> MappingNode:
        found: dict[str, Entry] = {}
        last: Span | None = None
        while not isinstance(child := self.loader.get_event(), yaml.MappingEndEvent):
            before, after_block = last, self.block
            key = self.node(child, depth + 1)
            key_span = self.span(child) if isinstance(child, yaml.AliasEvent) else key.span
            event_of_value = self.loader.get_event()
            value = self.node(event_of_value, depth + 1)
            last = self.span(event_of_value) if isinstance(event_of_value, yaml.AliasEvent) else value.span
            if not isinstance(key, ScalarNode) or not key.text:
                self.error("D010", "a key must be a word", key_span, "write `key: value`")
            elif key.text == "<<" and key.plain:
                self.error(
                    "D011", "merge keys (`<<`) are not part of YAML 1.2", key_span, "use `extends` or `profiles`, or write the keys out"
                )
            elif (first := found.get(key.text)) is not None:
                label = Label(first.key_span, "first given here")
                message = f"the key `{shorten(key.text)}` stands here twice"
                from distillc.spec.text_fixes import removed, same

                fix: Fix | None = None
                if same(first.value, value) and not after_block:
                    fix = removed(self.source, key_span, last, before, flow=event.flow_style)
                help = "remove one of them"
                self.found.append(Diagnostic("D008", Severity.ERROR, message, key_span, help, related=(label,), fix=fix))
            else:
                found[key.text] = Entry(key.text, key_span, value)
        return MappingNode(found, self.collection_span(event, child, last), bool(event.flow_style))

    def span(self, event: Any) -> Span:
        """A block scalar ends, to libyaml, where the next token starts; to a reader, after its last character."""
        start, end = event.start_mark.index, event.end_mark.index
        while end > start and self.source.text[end - 1 : end].isspace():
            end -= 1
        return self.source.span(start, end)

    def bare_span(self, event: Any) -> Span:
        """As `span`, without the anchor and the tag before the scalar: what may be replaced, and what a caret should show."""
        if event.anchor is None and event.tag is None:
            return self.span(event)
        end = event.end_mark.index
        while end > event.start_mark.index and self.source.text[end - 1].isspace():
            end -= 1
        before = _PROPERTIES.match(self.source.text, event.start_mark.index, end)
        return self.source.span(before.end() if before else end, end)

    def collection_span(self, start: Any, end: Any, last: Span | None) -> Span:
        """A block collection ends with its last value; to libyaml it ends where the next token starts, after all comments."""
        first = start.start_mark.index
        if start.anchor is not None or start.tag is not None:
            # Past them; a brace, and the dash of a list that is not indented, end the event, anything else is after it.
            first = start.end_mark.index - (start.flow_style or self.source.text.startswith("-", start.end_mark.index - 1))
        span = self.source.span(first, end.end_mark.index)
        if start.flow_style or last is None:
            return span
        return Span(span.file, span.line, span.column, last.end_line, last.end_column)

    def error(self, code: str, message: str, span: Span, help: str) -> None:
        self.found.append(_error(code, message, span, help))


def _error(code: str, message: str, span: Span, help: str) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, span, help=help)


_HELP = (
    ("mapping values are not allowed", "a text with `: ` in it needs quotes; or the line is indented too far"),
    ("did not find expected key", "look for a missing comma, quote or brace before this place, or a line indented by too little"),
    ("did not find expected ',' or", "look for a missing comma or quote, or for a bracket that was opened before and not closed"),
    ("could not find expected ':'", "write `key: value`"),
    ("unexpected end of stream", "a quote that was opened before is not closed"),
    ("block sequence entries", "put the list on lines of its own, or write [a, b]"),
    ("cannot start any token", "a text that begins with this character needs quotes"),
)


def _syntax(source: Source, error: yaml.YAMLError) -> Diagnostic:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    offset = min(mark.index if mark else getattr(error, "position", 0) or 0, len(source.text))
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML")
    context = getattr(error, "context", None)
    line, _ = source.position(offset)
    before = source.text[source.starts[line - 1] : offset + 1]
    span = source.span(offset, min(offset + 1, len(source.text)))
    if "\t" in before and ("\\t" in problem or "tab" in problem or not before.strip()):
        from distillc.spec.text_fixes import untabbed

        return Diagnostic("D003", Severity.ERROR, "a tab cannot indent YAML", span, help="indent with spaces", fix=untabbed(source))
    related: tuple[Label, ...] = ()
    opened = getattr(error, "context_mark", None)
    if opened is not None and mark is not None and opened.index != mark.index:
        related = (Label(source.span(opened.index, opened.index + 1), str(context or "begun here")),)
    help = next((way_out for part, way_out in _HELP if part in problem), None)
    return Diagnostic("D001", Severity.ERROR, problem, span, help=help, related=related)
