"""The cells of a spec: which steps are the same in which of them, before anything is lowered. docs/adr/0005.

A step has one version for all cells in which its text, `task`, `decoding` and `seed`, and the versions of all that it hangs on are the
same. A spec without a matrix is one cell. What is known of a version's rows or model is worked out once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from distillc.compiler.outline import Outline
from distillc.compiler.outline.models import Model
from distillc.compiler.outline.roles import roles
from distillc.compiler.outline.steps import Step
from distillc.compiler.plugins import Plugins
from distillc.compiler.world import World
from distillc.spec.composition import Cells, Variant
from distillc.spec.diagnostic import Diagnostic, Severity
from distillc.spec.lint import findings as look
from distillc.spec.matrix import Cell, Matrix
from distillc.spec.nodes import Entry, MappingNode, Node, at, entries
from distillc.spec.references import KINDS, split_name
from distillc.spec.rows import Rows
from distillc.spec.rules import Context

if TYPE_CHECKING:
    from distillc.compiler.lower.graph import Draft

EVERYWHERE = ("task", "decoding", "seed", "privacy")
"""What every step may read."""
MANY = 3
"""So many cells are named; of more, the number."""


@dataclass(slots=True, eq=False)
class Version:
    """A step as one or more cells have it. `pinned`: the facts of a model that is made of no other. The rest is filled by lowering it."""

    step: Step
    rows: Rows | None = None
    model: Model | None = None
    pinned: Mapping[str, Any] | None = None
    drafts: "dict[str, Draft] | None" = None
    leaves: dict[str, dict[str, str]] = field(default_factory=dict)
    used: dict[tuple[str, str], Any] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)

    @property
    def teachers(self) -> tuple[str, ...]:
        """Those that a role in a report may hang on, wherever they stand."""
        return self.rows.teachers if self.rows else self.model.soft if self.model else ()

    def put_into(self, outline: Outline) -> None:
        if self.rows:
            outline.rows[self.step.name] = self.rows
        elif self.model:
            outline.models[self.step.name] = self.model


@dataclass(slots=True, eq=False)
class Part:
    """One cell. `drafts` are all its stages by the names that they have in a spec without a matrix; `own` those that no part before has."""

    number: int
    cell: Cell
    outline: Outline
    versions: dict[str, Version]
    drafts: "dict[str, Draft]" = field(default_factory=dict)
    own: "list[Draft]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Kin:
    """Cells in which all steps name the same, after the first of them."""

    outline: Outline
    versions: Mapping[str, Version]
    hang: Mapping[str, tuple[str, ...]]


class Findings:
    """What is wrong, and in which cells. A finding that not all cells have says which do, unless its place does: a value of the matrix."""

    def __init__(self, matrix: Matrix | None) -> None:
        self.matrix = matrix
        self.found: dict[tuple[Any, ...], tuple[Diagnostic, set[int]]] = {}
        self._values = {value.span for axis in matrix.axes for value in axis.values} if matrix else set()

    def add(self, number: int, found: Iterable[Diagnostic]) -> None:
        for finding in found:
            key = (finding.code, finding.span, finding.message)
            self.found.setdefault(key, (finding, set()))[1].add(number)

    def add_everywhere(self, found: Iterable[Diagnostic]) -> None:
        found = list(found)
        for number, _ in enumerate(self.matrix.cells if self.matrix else ((),)):
            self.add(number, found)

    @property
    def failed(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding, _ in self.found.values())

    def told(self) -> list[Diagnostic]:
        return [self._told(finding, cells) for finding, cells in self.found.values()]

    def _told(self, finding: Diagnostic, cells: set[int]) -> Diagnostic:
        if self.matrix is None or len(cells) == len(self.matrix.cells) or finding.span in self._values:
            return finding
        axes = told_apart(self.matrix.cells, [number in cells for number in range(len(self.matrix.cells))])
        names = list(dict.fromkeys(self.matrix.name(self.matrix.cells[number], axes) for number in sorted(cells)))
        more = f" and {len(names) - MANY} more" if len(names) > MANY else ""
        which = f"cell {names[0]}" if len(names) == 1 else f"cells {'; '.join(names[:MANY])}{more}"
        return finding._replace(notes=(*finding.notes, f"in the {which}"))


def told_apart(cells: Sequence[Cell], classes: Sequence[Any]) -> tuple[int, ...]:
    """The axes by whose values alone it can be said in which class a cell is; as few as there can be, one after the other left out."""
    axes = [axis for axis in range(len(cells[0])) if len({cell[axis] for cell in cells}) > 1] if cells else []
    for axis in reversed(tuple(axes)):
        others = [other for other in axes if other != axis]
        if _decide(cells, classes, others):
            axes = others
    return tuple(axes)


def _decide(cells: Sequence[Cell], classes: Sequence[Any], axes: Sequence[int]) -> bool:
    seen: dict[Any, Any] = {}
    pick = itemgetter(*axes) if axes else len
    return all(seen.setdefault(pick(cell), one) == one for cell, one in zip(cells, classes, strict=True))


class Survey:
    """The parts of a plan, in order. A cell whose text is wrong is left out; what is wrong stands in `findings`."""

    def __init__(self, context: Context, plugins: Plugins, world: World, cells: Cells | None, findings: Findings) -> None:
        self.plugins, self.world, self.findings = plugins, world, findings
        self.parts: list[Part] = []
        self._kin: dict[tuple[Any, ...], Kin] = {}
        self._versions: dict[tuple[Any, ...], Version] = {}
        self._steps: dict[tuple[int, int], Step] = {}
        if cells is None:
            self.parts.append(self._first((), 0, (), context))
            return
        self._walker = cells.composition.walker
        self._names: dict[int, tuple[Node, tuple[Any, ...]]] = {}
        origin: MappingNode | None = None
        for number, (cell, variant) in enumerate(cells):
            origin = origin or variant.root
            part = self._part(number, cell, variant, origin)
            if part:
                self.parts.append(part)

    def _part(self, number: int, cell: Cell, variant: Variant, origin: MappingNode) -> Part | None:
        signature, wrong = self._signature(variant.root, origin)
        self.findings.add(number, [*variant.found, *wrong])
        if variant.found or wrong:
            return None
        if signature in self._kin:
            return self._next(number, cell, variant.root, self._kin[signature])
        found, context = look(variant.root, self.plugins, self._walker, {})  # names lead elsewhere: it is looked at as a whole
        self.findings.add(number, errors := [finding for finding in found if finding.severity is Severity.ERROR])
        return None if errors else self._first(signature, number, cell, context)

    def _signature(self, root: MappingNode, origin: MappingNode) -> tuple[tuple[Any, ...], list[Diagnostic]]:
        """What the steps that are not those of `origin` name, where they name something else; and what is wrong with their shape."""
        found: list[tuple[Any, ...]] = []
        wrong: list[Diagnostic] = []
        for section, new in changes(origin, root):
            wrong += self._walker.of_step(section, new).diagnostics
            names, old = self._named(section, new), _entry(origin, section, new.key)
            if old is None or names != self._named(section, old):
                found.append((section, new.key, names))
        for section in KINDS:
            if root.get(section) is not origin.get(section) and (keys := _keys(root, section)) != _keys(origin, section):
                found.append((section, keys))
        return tuple(found), wrong

    def _named(self, section: str, step: Entry) -> tuple[Any, ...]:
        """The names that a step gives and refers to."""
        node = step.value
        if id(node) not in self._names:
            references = [
                (reference.text, reference.expects, reference.path) for reference in self._walker.of_step(section, step).references
            ]
            gates = [gate.key for gate in entries(at(node, "gates"))] if section == "evaluate" else []
            self._names[id(node)] = (node, (*references, *gates))
        return self._names[id(node)][1]

    # -- parts ------------------------------------------------------------------------------------------------------------

    def _first(self, signature: tuple[Any, ...], number: int, cell: Cell, context: Context) -> Part:
        """The part of a cell that names something that none before it does, or of a spec without a matrix."""
        self.world.pinned.clear()
        outline = Outline(context, self.plugins, self.world)
        unreadable = self._unreadable(outline)
        hang = _hang(outline)
        versions: dict[str, Version] = {}
        for step in outline.order:
            name = step.name
            key = _key(step, hang[name], versions, outline)
            if key not in self._versions:
                version = Version(step, outline.rows.get(name), outline.models.get(name), self.world.pinned.get(name))
                version.findings += [finding for its, finding in unreadable if its == name]
                self._versions[key] = version
            versions[name] = self._versions[key]
            versions[name].put_into(outline)
        self._kin[signature] = Kin(outline, versions, hang)
        return Part(number, cell, outline, versions)

    def _next(self, number: int, cell: Cell, root: MappingNode, kin: Kin) -> Part:
        """The part of a cell that names the same as one before it: only what moved is looked at."""
        changed = {new.key: self._step(kin, new) for _, new in changes(kin.outline.root, root)}
        outline = kin.outline.variant(root, changed)
        all_moved = any(root.get(key) is not kin.outline.root.get(key) for key in EVERYWHERE)
        versions: dict[str, Version] = {}
        moved: set[str] = set()
        taught = False
        for step in outline.order:
            name = step.name
            version, hang = kin.versions[name], kin.hang[name]
            if all_moved or name in changed or not moved.isdisjoint(hang) or (taught and step.section == "evaluate"):
                version = self._version(_key(step, hang, versions, outline), step, outline)
                if version is not kin.versions[name]:
                    moved.add(name)
                    taught |= version.teachers != kin.versions[name].teachers
            versions[name] = version
            version.put_into(outline)
        return Part(number, cell, outline, versions)

    def _version(self, key: tuple[Any, ...], step: Step, outline: Outline) -> Version:
        if key not in self._versions:
            self.world.pinned.pop(step.name, None)
            outline.fill(step)
            version = Version(step, outline.rows.get(step.name), outline.models.get(step.name), self.world.pinned.get(step.name))
            version.findings += [finding for _, finding in self._unreadable(outline)]
            self._versions[key] = version
        return self._versions[key]

    def _step(self, kin: Kin, entry: Entry) -> Step:
        key = (id(kin), id(entry.value))
        if key not in self._steps:
            self._steps[key] = kin.versions[entry.key].step.as_in(entry.value)
        return self._steps[key]

    def _unreadable(self, outline: Outline) -> list[tuple[str, Diagnostic]]:
        """The damaged files that the outline has met, with the step of each."""
        found = [
            (where[1], Diagnostic("D153", Severity.ERROR, error.message, outline.span(where), error.help))
            for where, error in self.world.unreadable
        ]
        self.world.unreadable.clear()
        return found


def _key(step: Step, hang: Sequence[str], versions: Mapping[str, Version], outline: Outline) -> tuple[Any, ...]:
    """What a version of a step is made of. A report has the roles of its models, on which the whole spec has a say."""
    everywhere = [id(outline.root.get(key)) for key in EVERYWHERE]
    cast = roles(outline, step.body["models"]).items() if step.section == "evaluate" else ()
    return (step.name, id(step.node), *everywhere, *[(other, id(versions[other])) for other in hang], *cast)


def changes(old: MappingNode, new: MappingNode) -> Iterator[tuple[str, Entry]]:
    """The steps that are not the same objects in both, with their sections."""
    for section in KINDS:
        before, after = old.get(section), new.get(section)
        if before is after or not isinstance(after, MappingNode):
            continue
        held = before.entries if isinstance(before, MappingNode) else {}
        for entry in after:
            if (known := held.get(entry.key)) is None or known.value is not entry.value:
                yield section, entry


def _entry(root: MappingNode, section: str, name: str) -> Entry | None:
    found = root.get(section)
    return found.entries.get(name) if isinstance(found, MappingNode) else None


def _keys(root: MappingNode, section: str) -> tuple[str, ...]:
    return tuple(entry.key for entry in entries(root.get(section)))


def _hang(outline: Outline) -> dict[str, tuple[str, ...]]:
    """What each step hangs on: what it names, and what its stages take from others that it does not name.

    The parity of an export is checked on the rows of whoever asks first, and a bundle takes the proof along.
    """
    found: dict[str, tuple[str, ...]] = {}
    asked: dict[str, str] = {}
    before: set[str] = set()
    for step in outline.order:
        names = set(step.needs)
        if step.section == "evaluate":
            rows = split_name(step.data_sets()[0][1])[0]
            exports = [name for name in step.body["models"] if outline.models[name].section == "quantize"]
            names |= {asked.setdefault(export, rows) for export in exports}
            before.add(step.name)
        elif step.section == "deploy":
            names |= before
            before.add(step.name)
        found[step.name] = tuple(sorted(names))
    return found
