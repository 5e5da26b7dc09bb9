"""One spec from its parts: the specs it extends, a profile, and what `--set` says, in this order; each value keeps its origin.

`extends`: the steps of a section are joined by name, and a step of the extending file replaces the whole step of that name.
A path (`models.small.layers`, `generate.pairs.steps.0.errors`) begins with a section, names a step, and may go on into it; what it
leads to is replaced. Nodes are frozen: setting a value makes new mappings along the path and shares the rest.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from distillc.spec.diagnostic import Diagnostic, Fix, Severity, Span
from distillc.spec.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode, at, entries, text
from distillc.spec.parse import parse
from distillc.spec.references import KINDS
from distillc.spec.source import Source, decode
from distillc.spec.wording import closest, did_you_mean, shorten

if TYPE_CHECKING:
    from distillc.spec.composition import Cells, Composition

MAX_EXTENDS = 8
MAX_FILES = 64
"""All in all: a few files that each extend a few others would be read millions of times."""
MAX_PROFILES = 64
MAX_PARTS = 16
SECTIONS_OF_WHOLE = frozenset({"extends", "profiles", "plugins", "distill"})
"""Top-level keys that no path may set: they say how the spec is put together."""

Read = Callable[[Path], bytes]


class Resolved(NamedTuple):
    """A spec put together. `sources` hold the text of every file that a span may name.

    `cells` are those of its matrix, if it has one; `root` is then one of them. `composition` knows where values come from.
    """

    root: MappingNode
    filename: str
    text: str
    profile: str | None
    overrides: tuple[str, ...]
    sources: Mapping[str, Source] = {}
    cells: "Cells | None" = None
    composition: "Composition | None" = None

    def explained(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Findings with what there is to say about where their values were set."""
        return self.composition.explained(self.root, found) if self.composition else list(found)

    def origin(self, path: str) -> Span | None:
        """Where the key at a dotted path stands (`train.student`), in whichever file that is."""
        entry = find(self.root, path.split("."))
        return entry.key_span if isinstance(entry, Entry) else entry.span if entry else None

    def span_of(self, path: Sequence[str | int]) -> Span | None:
        """The place of the value at a path, or of the nearest thing around it that has one."""
        found = nearest(self.root, path)
        return found.key_span if isinstance(found, Entry) else found.span if found else None

    def line_of(self, path: str) -> int | None:
        """The line of `origin`; None for a path that the spec does not have, as a default's."""
        span = self.origin(path)
        return span.line if span else None


def find(root: Node, path: Sequence[str]) -> "Entry | Node | None":
    """The entry (in a mapping) or the node (in a list) at a path."""
    node: Node | None = root
    found: Entry | Node | None = root
    for part in path:
        if isinstance(node, MappingNode):
            entry = node.entries.get(part)
            found, node = entry, entry.value if entry else None
        else:
            found = node = at(node, int(part)) if part.isdecimal() and len(part) < 6 else None
    return found


def nearest(root: Node, path: Sequence[str | int]) -> "Entry | Node | None":
    """What is at a path, or the nearest thing around it; None where not even its section is there."""
    parts = [str(part) for part in path]
    while parts:
        found = find(root, parts)
        if found is not None:
            return found
        parts.pop()
    return None


class Stop(Exception):
    """Inside this module and `lint`: one finding that ends what is being done."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic


def _stop(code: str, message: str, span: Span | None, help: str | None = None, fix: Fix | None = None) -> Stop:
    return Stop(Diagnostic(code, Severity.ERROR, message, span, help=help, fix=fix))


# extends


def extended(
    root: MappingNode, source: Source, read: Read, sources: dict[str, Source], came: dict[str, Span], replaced: dict[Span, Span]
) -> tuple[MappingNode, list[Diagnostic]]:
    """`root` on top of what it extends. A file that cannot be used is left out and reported.

    `came` gets the place that names each, and `replaced`, for each step that takes the place of another, where that one stands.
    """
    found: list[Diagnostic] = []
    merged = _extend(root, Path(source.name), read, sources, came, replaced, (str(Path(source.name)),), found, [])
    return merged, found


def _extend(
    root: MappingNode,
    file: Path,
    read: Read,
    sources: dict[str, Source],
    came: dict[str, Span],
    replaced: dict[Span, Span],
    chain: tuple[str, ...],
    found: list[Diagnostic],
    opened: list[Span],
) -> MappingNode:
    wanted = root.get("extends")
    if wanted is None:
        return root
    below: MappingNode | None = None
    for item in wanted.items if isinstance(wanted, SequenceNode) else (wanted,):
        if len(opened) >= MAX_FILES:
            found.append(
                Diagnostic("D022", Severity.ERROR, f"more than {MAX_FILES} times a spec is extended", item.span, "join some of them")
            )
            break
        opened.append(item.span)
        try:
            name = text(item)
            if name is None:
                continue  # the schema reports it
            base, path = _open(name, item.span, file, read, sources, chain, found)
            came.setdefault(str(path), item.span)
            base = _extend(base, path, read, sources, came, replaced, (*chain, str(path)), found, opened)
            below = base if below is None else merge(below, base, replaced)
        except Stop as stop:
            found.append(stop.diagnostic)
    return merge(below, root, replaced) if below is not None else root


def _open(
    name: str, span: Span, file: Path, read: Read, sources: dict[str, Source], chain: tuple[str, ...], found: list[Diagnostic]
) -> tuple[MappingNode, Path]:
    pure = PurePosixPath(name)
    if pure.is_absolute() or "\\" in name or ":" in name or not name or "\0" in name:
        raise _stop("D022", f"`{shorten(name)}` is not a relative path", span, "write a path that starts at this spec's folder")
    path = Path(*_normal((*file.parent.parts, *pure.parts)))
    if str(path) in chain:
        raise _stop("D022", f"`{shorten(name)}` extends itself: {' → '.join([*chain, str(path)])}", span, "take one of them out")
    if len(chain) >= MAX_EXTENDS:
        raise _stop("D022", f"more than {MAX_EXTENDS} specs extend one another", span, "join some of them")
    try:
        data = read(path)
    except OSError as error:
        raise _stop(
            "D022", f"cannot read `{shorten(str(path))}`: {error.strerror or error}", span, "paths start at this spec's folder"
        ) from None
    content, wrong = decode(data, str(path))
    sources[str(path)] = Source(str(path), content)
    found += wrong
    base, more = parse(sources[str(path)]) if not wrong else (None, [])
    found += more
    if not isinstance(base, MappingNode):
        raise _stop("D022", f"`{shorten(str(path))}` is not a spec", span, "see the findings in that file")
    return base, path


def _normal(parts: Iterable[str]) -> list[str]:
    """Path parts with `..` taken out where a folder stands before it, without asking the file system."""
    found: list[str] = []
    for part in parts:
        if part == ".." and found and found[-1] not in ("..", "/"):
            found.pop()
        elif part != ".":
            found.append(part)
    return found


def merge(below: MappingNode, above: MappingNode, replaced: dict[Span, Span]) -> MappingNode:
    """Sections joined, steps and plain values replaced. `extends` is that of `above` alone; it has been followed."""
    joined = {key: entry for key, entry in below.entries.items() if key != "extends"}
    for entry in above:
        under = joined.get(entry.key)
        if under and isinstance(under.value, MappingNode) and isinstance(entry.value, MappingNode) and entry.key in _JOINED:
            replaced |= {step.key_span: under.value.entries[step.key].key_span for step in entry.value if step.key in under.value.entries}
            value = entry.value.with_entries({**under.value.entries, **entry.value.entries})
            joined[entry.key] = entry._replace(value=value)
        else:
            joined[entry.key] = entry
    return above.with_entries(joined)


_JOINED = frozenset(KINDS) | {"profiles"}


# profiles and --set


class Assignment(NamedTuple):
    """A value for a path. `spans` are those of the path's parts. `adds`: whether it may name a step that is not there yet.

    `beside`: the paths that stand in the same mapping.
    """

    parts: tuple[str, ...]
    spans: tuple[Span, ...]
    value: Node
    adds: bool
    beside: Collection[str] = ()


def profile_assignments(root: MappingNode, profile: str) -> list[Assignment]:
    """Raises Stop when there is no such profile."""
    profiles = root.get("profiles")
    names = [entry.key for entry in entries(profiles)]
    if profile not in names:
        help = did_you_mean(profile, names, "there are") or "the spec has no profiles"
        place = root.entries.get("profiles")
        raise _stop("D020", f"there is no profile `{shorten(profile)}`", place.key_span if place else None, help)
    paths = entries(at(profiles, profile))
    beside = {entry.key for entry in paths}
    return [make_assignment(entry.key, entry.key_span, entry.value, adds=True, beside=beside) for entry in paths]


def override_assignment(override: str, number: int, sources: dict[str, Source]) -> Assignment:
    """`PATH=VALUE` of `--set`. Raises Stop for what is not; VALUE is YAML."""
    name = "--set" if number == 0 else f"--set#{number + 1}"
    source = sources[name] = Source(name, override)
    path, equals, value = override.partition("=")
    if not equals or not path.strip():
        raise _stop("D023", f"`{shorten(override)}` is not PATH=VALUE", source.span(0, len(override)), "as in --set train.student.epochs=2")
    place = source.span(0, len(path))
    if not value.strip():
        return make_assignment(path.strip(), place, ScalarNode(None, "", source.span(len(override), len(override))), adds=False)
    padding = " " * (len(path) + 1)  # so that spans count from the start of the whole override
    node, wrong = parse(Source(name, padding + value))
    if wrong or node is None:
        problem = wrong[0] if wrong else Diagnostic("D013", Severity.ERROR, "no value")
        raise _stop("D023", f"the value of `{shorten(path)}` is not YAML: {problem.message}", problem.span or place, problem.help)
    return make_assignment(path.strip(), place, node, adds=False)


def make_assignment(path: str, span: Span, value: Node, *, adds: bool, beside: Collection[str] = ()) -> Assignment:
    parts = path.split(".")
    spans: list[Span] = []
    quote = (span.end_column - span.column - len(path)) // 2
    exact = span.line == span.end_line and span.end_column - span.column == len(path) + 2 * quote and quote in (0, 1)  # no escapes
    column = span.column + quote
    for part in parts:
        spans.append(Span(span.file, span.line, column, span.line, column + len(part)) if exact else span)
        column += len(part) + 1
    return Assignment(tuple(parts), tuple(spans), value, adds, beside)


def assign(root: MappingNode, assignment: Assignment, sections: Collection[str]) -> MappingNode:
    """`root` with one value replaced. Raises Stop for a path that leads nowhere."""
    first = assignment.parts[0]
    if first in SECTIONS_OF_WHOLE:
        raise _stop("D021", f"`{first}` cannot be set by a path", assignment.spans[0], "a path begins with another section")
    if first not in sections:
        help = did_you_mean(first, sections, "a path begins with one of")
        fix = _respelled(assignment, 0, sections)
        raise _stop("D021", f"there is no section `{shorten(first)}`", assignment.spans[0], help, fix)
    if len(assignment.parts) > MAX_PARTS:
        raise _stop("D021", f"a path has at most {MAX_PARTS} parts", assignment.spans[0])
    changed = _assign(root, assignment, 0)
    assert isinstance(changed, MappingNode)
    return changed


def _assign(node: Node | None, assignment: Assignment, depth: int) -> Node:
    if depth == len(assignment.parts):
        return assignment.value
    part, span = assignment.parts[depth], assignment.spans[depth]
    if isinstance(node, SequenceNode):
        if not part.isdecimal() or len(part) > 6 or int(part) >= len(node.items):
            raise _stop("D021", f"the list has no item `{shorten(part)}`", span, f"items count from 0 to {len(node.items) - 1}")
        index = int(part)
        item = _assign(node.items[index], assignment, depth + 1)
        return node._replace(items=(*node.items[:index], item, *node.items[index + 1 :]))
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and depth >= 2:
        node = MappingNode({"uses": Entry("uses", node.span, node)}, node.span)  # a bare string stands for {uses: string}
    if isinstance(node, ScalarNode) and node.value is not None:
        before = ".".join(assignment.parts[:depth])
        raise _stop("D021", f"`{shorten(before)}` is a value; nothing is below it", span, f"set `{shorten(before)}` itself")
    if node is None or isinstance(node, ScalarNode):
        node = MappingNode({}, span)
    last = depth == len(assignment.parts) - 1
    if depth == 1 and assignment.parts[0] in KINDS and part not in node.entries and not (last and assignment.adds):
        help = did_you_mean(part, node.entries, "there are") or f"`{assignment.parts[0]}` has no steps"
        fix = _respelled(assignment, 1, node.entries)
        raise _stop("D021", f"`{assignment.parts[0]}` has no step `{shorten(part)}`", span, help, fix)
    old = node.entries.get(part)
    value = _assign(old.value if old else None, assignment, depth + 1)
    entry = Entry(part, span if last or old is None else old.key_span, value)
    return node.with_entries({**node.entries, part: entry})


def _respelled(assignment: Assignment, depth: int, names: Iterable[str]) -> Fix | None:
    """Another word for one part of a path, unless that makes a path that is there already."""
    from distillc.spec.fixes import respelled

    parts = assignment.parts
    near = closest(parts[depth], names)
    if near is None or ".".join((*parts[:depth], near, *parts[depth + 1 :])) in assignment.beside:
        return None
    return respelled(assignment.spans[depth], parts[depth], near)


def inner_value(value: Node, assignment: Assignment, depth: int) -> Node:
    """`value`, which stands at the first `depth` parts of a path, with what the path leads to replaced; as it is where it leads nowhere."""
    try:
        return _assign(value, assignment, depth)
    except Stop:
        return value


def apply(root: MappingNode, assignments: Iterable[Assignment], sections: Collection[str]) -> tuple[MappingNode, list[Diagnostic]]:
    """All assignments, one after the other; those that lead nowhere are reported and left out."""
    found: list[Diagnostic] = []
    for assignment in assignments:
        try:
            root = assign(root, assignment, sections)
        except Stop as stop:
            found.append(stop.diagnostic)
    return root, found
