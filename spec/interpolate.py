"""`${section.name.field}`: a value of the spec that is wanted in another place of it too.

A scalar that is nothing but a reference takes the value with its type, be it a list or a map; inside a text it is put in as it was
written. `$${` stands for `${`. Secrets (`${env:NAME}` and its kin, see `secret.py`) are something else: they stay as they are, and no
reference leads to them. References may lead to references, in no loop; how much they make of a small file is bounded.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, NoReturn

from distillc.spec.diagnostic import Applicability, Diagnostic, Edit, Fix, Label, Severity, Span
from distillc.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode, entries
from distillc.spec.parse import MAX_DEPTH, MAX_NODES
from distillc.spec.secret import KINDS, is_variable
from distillc.spec.sites import Path, Site, below, copied, inner, measured, sites, unescaped, whole
from distillc.spec.source import MAX_BYTES, Source
from distillc.spec.wording import closest, listing, shorten

MAX_CHAIN = 16
MAX_LABELS = 4
MAX_SITES = 100
MAX_SUGGESTIONS = 100
"""Looking for the nearest of 10,000 names takes long."""
LEFT_ALONE = frozenset({"distill", "extends", "plugins", "profiles", "matrix", "lint"})
"""Top-level keys in which nothing is filled in, and to which no reference leads: values of a profile and of the matrix count where they
are put."""


class Filled(NamedTuple):
    """`origins`: by the span of each scalar that took a value from elsewhere, where that stands. `failed`: spans left as they were."""

    root: MappingNode
    diagnostics: tuple[Diagnostic, ...] = ()
    origins: Mapping[Span, tuple[Label, ...]] = {}
    failed: frozenset[Span] = frozenset()


class Interpolation:
    """Fills in the variants of one spec. What is the same in two of them is the same object, and what holds no reference stays as it is."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = sources
        # With the nodes, so that no other can get the id of one.
        self.known: dict[int, tuple[Node, bool]] = {}
        self.results: dict[tuple[int, ...], tuple[tuple[Node, ...], Node]] = {}

    def fill(self, root: MappingNode, secrets: Collection[Path] = ()) -> Filled:
        """`root` with every reference replaced. `secrets` are the paths of fields typed secret."""
        return _Filling(self, root, secrets).all()

    def made(self, parts: tuple[Node, ...], make: Callable[[], Node]) -> Node:
        """What is made of these parts; the one that was made of them before, if there is one."""
        key = tuple(map(id, parts))
        if key not in self.results:
            self.results[key] = (parts, make())
        return self.results[key][1]

    def refers(self, node: Node) -> bool:
        """Whether a value, or anything in it, holds `${`."""
        if isinstance(node, ScalarNode):
            return isinstance(node.value, str) and "${" in node.value
        if (known := self.known.get(id(node))) is None:
            known = self.known[id(node)] = (node, any(self.refers(each) for each in inner(node)))
        return known[1]


class _Failed(Exception):
    """What a reference stands for cannot be said. That has been reported, here or where the cause is."""


class _Filling:
    """One variant. Each text with references is filled in once; `active` are those at work on, by path, outermost first."""

    def __init__(self, shared: Interpolation, root: MappingNode, secrets: Collection[Path]) -> None:
        self.shared, self.root = shared, root
        self.secrets = frozenset(path[:length] for path in secrets for length in range(1, len(path) + 1))
        self.active: dict[Path, tuple[ScalarNode, Site]] = {}
        self.done: dict[Path, Node | None] = {}
        self.labels: dict[Path, tuple[Label, ...]] = {}
        self.origins: dict[Span, tuple[Label, ...]] = {}
        self.found: list[Diagnostic] = []
        self.failed: set[Span] = set()
        self.nodes = self.characters = 0

    def all(self) -> Filled:
        root = self.root
        for entry in self.root:
            if entry.key not in LEFT_ALONE and self.shared.refers(entry.value):
                value = self.inside(entry.value, (entry.key,), 1, strict=False)
                root = root.with_entries({**root.entries, entry.key: entry._replace(value=value)})
        return Filled(root, tuple(self.found), self.origins, frozenset(self.failed))

    def inside(self, node: Node, path: Path, depth: int, *, strict: bool) -> Node:
        """A value with the references in it replaced. One that cannot be stays; `strict` raises _Failed for it."""
        if not self.shared.refers(node):
            return node
        if isinstance(node, ScalarNode):
            found = self.scalar(node, path, depth)
            if found is None and strict:
                raise _Failed
            return found or node
        if depth > MAX_DEPTH:
            self.too_deep(*next(reversed(self.active.values())))
        if isinstance(node, SequenceNode):
            items = tuple([self.inside(x, (*path, str(i)), depth + 1, strict=strict) for i, x in enumerate(node.items)])
            return self.shared.made((node, *items), lambda: node._replace(items=items))
        values = [self.inside(entry.value, (*path, entry.key), depth + 1, strict=strict) for entry in node]
        return self.shared.made(
            (node, *values),
            lambda: node.with_entries({e.key: e._replace(value=value) for e, value in zip(node, values, strict=True)}),
        )

    def scalar(self, node: ScalarNode, path: Path, depth: int) -> Node | None:
        """What a text with references becomes; None where that cannot be said."""
        if path in self.active:
            self.loop(path)
        if path not in self.done:
            try:
                self.done[path] = self.text(node, path, depth)
            except _Failed:
                self.done[path] = None
                self.failed.add(node.span)
        return self.done[path]

    def text(self, node: ScalarNode, path: Path, depth: int) -> Node:
        text = str(node.value)
        targets: list[tuple[Site, Node]] = []
        labels: list[Label] = []
        failed = False
        found = sites(text)
        if len(found) > MAX_SITES:
            self.fail("D026", f"more than {MAX_SITES} references in one text", node, found[MAX_SITES], "put the text together elsewhere")
        for site in found:
            try:
                target, origin = self.target(node, site, path, depth)
            except _Failed:
                failed = True  # and the next one may be wrong in its own way
                continue
            targets.append((site, target))
            labels += origin
        if failed:
            raise _Failed
        if labels:
            unique = tuple(dict.fromkeys(labels))
            self.labels[path] = self.origins[node.span] = unique if len(unique) <= MAX_LABELS else (*unique[: MAX_LABELS - 1], unique[-1])
        return self.placed(*targets[0], node, depth) if whole(node) else self.joined(text, targets, node)

    def joined(self, text: str, targets: Sequence[tuple[Site, Node]], node: ScalarNode) -> Node:
        """The text with each reference replaced by what it stands for, as that was written."""
        value: list[str] = []
        written: list[str] = []
        last = length = 0
        for site, target in targets:
            if not isinstance(target, ScalarNode) or target.value is None:
                what = "nothing" if isinstance(target, ScalarNode) else "a list" if isinstance(target, SequenceNode) else "a mapping"
                self.fail("D026", f"`{shorten(site.inner)}` is {what}, and no part of a text", node, site, "refer to a value in it")
            said = target.value if isinstance(target.value, str) else target.text
            value += (unescaped(text[last : site.start]), said)
            written += (text[last : site.start], target.text)
            last, length = site.end, length + len(said)
            self.bounded(0, length, node, site)
        if targets:
            self.characters += length
        value.append(unescaped(text[last:]))
        written.append(text[last:])
        return self.shared.made(
            (node, *(target for _, target in targets)), lambda: ScalarNode("".join(value), "".join(written), node.span, plain=False)
        )

    def placed(self, site: Site, target: Node, node: ScalarNode, depth: int) -> Node:
        """A value where the reference to it stands: every place in it is that of the reference."""
        size, height, characters = measured(target)
        if depth + height > MAX_DEPTH:
            self.too_deep(node, site)
        self.bounded(size, characters, node, site)
        self.nodes += size
        self.characters += characters
        return self.shared.made((node, target), lambda: copied(target, node.span))

    def bounded(self, nodes: int, characters: int, node: ScalarNode, site: Site) -> None:
        """Keeps a small file from becoming a huge spec. The first reference too many is reported."""
        if self.nodes + nodes > MAX_NODES or self.characters + characters > MAX_BYTES:
            told = self.nodes > MAX_NODES
            self.nodes = MAX_NODES + 1
            if told:
                raise _Failed
            limits = f"{MAX_NODES:,} values or {MAX_BYTES:,} characters"
            self.fail("D026", f"with this, references put in more than {limits}", node, site, "keep data in data files")

    # -- the way to a value -----------------------------------------------------------------------------------------------

    def target(self, node: ScalarNode, site: Site, path: Path, depth: int) -> tuple[Node, list[Label]]:
        """The value that a reference leads to, filled in, and the places where it was defined."""
        self.well_formed(node, site)
        if len(self.active) >= MAX_CHAIN:
            self.fail("D026", f"more than {MAX_CHAIN} references lead to one another", node, site, "refer to the value itself")
        self.active[path] = (node, site)
        try:
            found, place, labels = self.walk(node, site)
            if place in self.secrets:
                help = "write the reference to the secret, such as `${env:NAME}`, here too"
                self.fail("D026", f"`{shorten(site.inner)}` is a secret, or has one in it", node, site, help)
            value = self.inside(found, place, depth, strict=True)
        finally:
            del self.active[path]
        return value, [*labels, Label(found.span, f"`{shorten('.'.join(place))}` stands here"), *self.labels.get(place, ())]

    def walk(self, node: ScalarNode, site: Site) -> tuple[Node, Path, list[Label]]:
        """The node that a reference names, its path without detours over other references, and where those stand."""
        at: Node = self.root
        place: Path = ()
        todo = list(site.path)
        labels: list[Label] = []
        while todo:
            if link := whole(at):
                if place in self.active:
                    self.loop(place)
                if len(labels) >= MAX_CHAIN or not link.is_path:
                    raise _Failed  # that is reported where it stands
                labels.append(Label(at.span, f"`{shorten('.'.join(place))}` stands here"))
                at, place, todo = self.root, (), [*link.path, *todo]
            found = below(at, todo[0])
            if found is None or (not place and todo[0] in LEFT_ALONE):
                self.undefined(node, site, at, place, todo)
            at, place = found, (*place, todo.pop(0))
        return at, place, labels

    # -- what is wrong ----------------------------------------------------------------------------------------------------

    def well_formed(self, node: ScalarNode, site: Site) -> None:
        if not site.closed:
            self.fail("D026", "`${` is not closed", node, site, "write `${section.name.field}`, or `$${` for the two characters themselves")
        if not site.is_path:
            help = "write `${section.name.field}`, or `$${` for the two characters themselves"
            kind, colon, name = site.inner.partition(":")
            if colon and (near := closest(kind, KINDS)):
                help = f"did you mean `${{{near}:{shorten(name)}}}`?"
            self.fail("D026", f"`${{{shorten(site.inner)}}}` does not name a value", node, site, help)

    def too_deep(self, node: ScalarNode, site: Site) -> NoReturn:
        self.fail("D026", f"`{shorten(site.inner)}` nests too deeply here", node, site, f"a spec nests at most {MAX_DEPTH} levels")

    def undefined(self, node: ScalarNode, site: Site, at: Node, place: Path, todo: Sequence[str]) -> NoReturn:
        """No such value. The way out is the nearest name where the path ends, as the whole path."""
        part = todo[0]
        if not place and part in LEFT_ALONE:
            self.fail("D026", f"no reference leads into `{part}`", node, site, "a path begins with another section")
        if not place and (help := self.of_environment(node, site)):
            self.fail("D024", f"there is no value at `{shorten(site.inner)}`", node, site, help)
        there = [entry.key for entry in entries(at) if place or entry.key not in LEFT_ALONE]
        near = closest(part, there) if len(self.found) < MAX_SUGGESTIONS else None
        message = f"there is no value at `{shorten(site.inner)}`"
        if near is None or site.inner != ".".join([*place, *todo]):
            inside = f"in `{shorten('.'.join(place))}`" if place else "at the top level"
            help = f"{inside} there are {listing(there)}; a default that is not written down cannot be referred to"
            nothing = f"`{shorten('.'.join(place))}` has nothing below it"
            self.fail("D024", message, node, site, help if there else nothing)
        right = ".".join([*place, near, *todo[1:]])
        fix = Fix(f"refer to `{right}`", (Edit(self.place(node, site), right),), Applicability.UNSAFE)
        self.fail("D024", message, node, site, f"did you mean `{shorten(right)}`?", fix=fix)

    def of_environment(self, node: ScalarNode, site: Site) -> str | None:
        """The way out where a variable of the environment was meant, as in a shell. Only fields that take a secret read one."""
        variable = f"`${{env:{shorten(site.inner)}}}`"
        if next(reversed(self.active)) in self.secrets and "." not in site.inner:
            return f"write {variable} for a variable of the environment"
        if is_variable(site.inner) and closest(site.inner, self.root.entries) is None:
            return f"variables of the environment are written {variable}, and only in fields that take a secret, such as `api_key`"
        return None

    def loop(self, place: Path) -> NoReturn:
        paths = list(self.active)
        around = paths[paths.index(place) :]
        node, site = self.active[place]
        names = " → ".join(shorten(".".join(path)) for path in [*around, place])
        related = [Label(self.place(*self.active[path]), f"`{shorten('.'.join(path))}` refers on") for path in around[1:8]]
        help = "one of them must be written out"
        self.fail("D025", f"values refer to one another in a loop: {names}", node, site, help, related=tuple(related))

    def fail(
        self, code: str, message: str, node: ScalarNode, site: Site, help: str, *, related: tuple[Label, ...] = (), fix: Fix | None = None
    ) -> NoReturn:
        self.found.append(Diagnostic(code, Severity.ERROR, message, self.place(node, site), help, related=related, fix=fix))
        raise _Failed

    def place(self, node: ScalarNode, site: Site) -> Span:
        return site.span(node, self.shared.sources.get(node.span.file))
