"""Text to nodes, by libyaml's events. Nothing raises: what is wrong becomes a Diagnostic, and only a syntax error or a limit stops.

The limits hold while libyaml reads, not after: events come one by one, and its look-ahead is bounded (a simple key has at most
1,024 characters), so a file of a million brackets ends at the 65th. An alias counts as many nodes as it stands for. What was complete
when something stopped the reading is kept, so that it can be checked all the same.
"""

import re
from typing import Any, NamedTuple

import yaml

from distillc.spec.diagnostic import Diagnostic, Fix, Label, Severity, Span
from distillc.spec.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode
from distillc.spec.scalars import scalar_value
from distillc.spec.source import MAX_BYTES, Source, too_large
from distillc.spec.wording import shorten

MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_ALIASES = 100
MAX_FAULTS = 50
"""More are no help, and a file that is made of them is no spec."""
MAX_ENTRIES = 10_000
"""In one list or mapping."""
MAX_SECTIONS = 256
"""The language has two dozen."""
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""Control characters, surrogates, non-characters and stray byte-order marks: what `c-printable` of YAML leaves out. And NEL, LS and PS,
which end a line in YAML 1.1, libyaml's, and none in 1.2: a text with one in it would mean two things."""
_PROPERTIES = re.compile(r"(?:[&!]\S*|\s|#.*)*")
"""An anchor, a tag, and what may stand between them and their value."""


class Parsed(NamedTuple):
    """`root` is None where nothing can be read. `before` is what was complete when something stopped the reading, in `section`.

    `unused` are the anchors that no alias names: each with the offset in the text at which it is to be looked for.
    """

    root: Node | None
    diagnostics: list[Diagnostic]
    before: MappingNode | None = None
    section: str | None = None
    unused: tuple[tuple[str, int], ...] = ()


def parse(source: Source) -> tuple[Node | None, list[Diagnostic]]:
    """The root, or None where the text cannot be read to its end, and all that is wrong with it as YAML."""
    read = parse_as_far_as_it_goes(source)
    return read.root, read.diagnostics


def parse_as_far_as_it_goes(source: Source) -> Parsed:
    if len(source.text) > MAX_BYTES or len(source.text.encode("utf-8", "replace")) > MAX_BYTES:
        return Parsed(None, [too_large(source.name)])
    if forbidden := _FORBIDDEN.search(source.text):
        from distillc.spec.syntax import not_text

        return Parsed(None, [not_text(source, *forbidden.span())])
    builder = _Builder(source)
    try:
        root = builder.document()
        return Parsed(root, builder.found, unused=tuple((name, start) for name, start, anchor in builder.named if not anchor.used))
    except _Stop as stop:
        found = [*builder.found, stop.diagnostic]
        if stop.limit:
            return Parsed(None, found)
    except yaml.YAMLError as error:
        from distillc.spec.syntax import syntax_error

        found = [*builder.found, syntax_error(source, error)]
    return Parsed(None, found, builder.before, builder.section)


class _Stop(Exception):
    """`limit`: the text is too much of something, so what was read of it is of no interest."""

    def __init__(self, diagnostic: Diagnostic, *, limit: bool = True) -> None:
        self.diagnostic = diagnostic
        self.limit = limit


class _Anchor:
    """`node` is None while the anchored value is still being read. `size` in nodes, `height` in levels; whether an alias has `used` it."""

    def __init__(self) -> None:
        self.node: Node | None = None
        self.size = 0
        self.height = 0
        self.used = False


class _Builder:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(source.text)
        self.found: list[Diagnostic] = []
        self.anchors: dict[str, _Anchor] = {}
        self.named: list[tuple[str, int, _Anchor]] = []  # all of them: a name may be given twice
        self.size = 0
        self.aliases = 0
        self.deepest = 0
        self.before: MappingNode | None = None
        self.section: str | None = None
        self.block = False  # whether the last scalar was a block, which blank lines after it may belong to

    def document(self) -> Node | None:
        self.loader.get_event()  # stream start
        start = self.loader.get_event()
        if isinstance(start, yaml.StreamEndEvent):
            self.error("D013", "the file is empty", Span(self.source.name, 1, 1, 1, 1), "a spec begins with `distill: 1`")
            return None
        if start.tags:
            self.error("D009", "the directive %TAG is not allowed", self.span(start), "YAML tags are refused; write plain values")
        if start.version not in (None, (1, 2)):
            said = ".".join(map(str, start.version))
            self.error("D016", f"a spec is YAML 1.2, and this says {said}", self.span(start), "take the line out, and quote `yes` and `no`")
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
        if isinstance(event, yaml.ScalarEvent) and event.anchor is None and event.tag is None:
            return self.scalar(event)  # nearly all of them
        anchor = _Anchor()
        if event.anchor is not None:
            self.anchors[event.anchor] = anchor
            begin: Any = event.start_mark  # there is one: it was parsed
            self.named.append((event.anchor, begin.index, anchor))
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
                ),
                limit=False,
            )
        if anchor.node is None:
            raise _Stop(
                _error("D007", f"the alias *{shorten(event.anchor)} stands inside its own value", span, "a value cannot contain itself"),
                limit=False,
            )
        self.count(anchor.size, depth + anchor.height, event)
        anchor.used = True
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

    def count_entries(self, before: int, span: Span) -> None:
        if before >= MAX_ENTRIES:
            raise _Stop(_error("D006", f"more than {MAX_ENTRIES:,} entries in one list or mapping", span, "keep data in data files"))

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
            self.count_entries(len(found) - 1, found[-1].span)
            last = self.span(child) if isinstance(child, yaml.AliasEvent) else found[-1].span
        return SequenceNode(tuple(found), self.collection_span(event, child, last), bool(event.flow_style))

    def mapping(self, event: Any, depth: int) -> MappingNode:
        found: dict[str, Entry] = {}
        try:
            return self.entries(event, depth, found)
        except (_Stop, yaml.YAMLError):
            if depth <= 2:
                self.keep(depth, MappingNode(found, self.span(event)))
            raise

    def keep(self, depth: int, complete: MappingNode) -> None:
        """Of a root that is cut: its entries, and those of the section in which it was cut."""
        if depth == 1 and self.before and self.section:
            place = self.before.span
            complete.entries[self.section] = Entry(self.section, place, self.before)
        self.before = complete

    def entries(self, event: Any, depth: int, found: dict[str, Entry]) -> MappingNode:
        last: Span | None = None
        while not isinstance(child := self.loader.get_event(), yaml.MappingEndEvent):
            before, after_block = last, self.block
            key = self.node(child, depth + 1)
            key_span = self.span(child) if isinstance(child, yaml.AliasEvent) else key.span
            if depth == 1:
                self.section = key.text if isinstance(key, ScalarNode) and key.text not in found else None
                self.before = None
                if len(found) >= MAX_SECTIONS:
                    raise _Stop(_error("D006", f"more than {MAX_SECTIONS} sections", key_span, "`distillc schema` prints those there are"))
            self.count_entries(len(found), key_span)
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
                self.fault(Diagnostic("D008", Severity.ERROR, message, key_span, help, related=(label,), fix=fix))
            else:
                found[key.text] = Entry(key.text, key_span, value)
        return MappingNode(found, self.collection_span(event, child, last), bool(event.flow_style))

    def span(self, event: Any) -> Span:
        """A block scalar ends, to libyaml, where the next token starts; to a reader, after its last character."""
        first, last = event.start_mark, event.end_mark
        if isinstance(event, yaml.ScalarEvent) and event.style not in ("|", ">"):
            return Span(self.source.name, first.line + 1, first.column + 1, last.line + 1, last.column + 1)
        start, end = first.index, last.index
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
        self.fault(_error(code, message, span, help))

    def fault(self, diagnostic: Diagnostic) -> None:
        if len(self.found) >= MAX_FAULTS - 1:
            raise _Stop(diagnostic._replace(notes=(f"the {MAX_FAULTS}th mistake of this kind; nothing after it was read",)))
        self.found.append(diagnostic)


def _error(code: str, message: str, span: Span, help: str) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, span, help=help)
