"""`matrix`: the same spec for several values; each combination of them is a cell.

As in a matrix of GitHub Actions: `vary` makes every combination; `exclude` takes out those that match; `include`, read last and from top
to bottom, adds its values to every combination that it contradicts in no varied path, and is a cell of its own where there is none. A
cell is the spec with its values set before a profile and `--set`, which win. What a cell does not set stays as the spec has it.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import product
from math import prod
from typing import NamedTuple

from distillc.spec.diagnostic import Diagnostic, Label, Severity, Span
from distillc.spec.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode, at, entries, to_plain
from distillc.spec.references import KINDS
from distillc.spec.resolve import SECTIONS_OF_WHOLE, Assignment, Stop, assign, find, inner_value, make_assignment
from distillc.spec.wording import did_you_mean, listing, shorten

MAX_CELLS = 1_000
FIXED = SECTIONS_OF_WHOLE | {"name", "matrix", "lint", "budget", "privacy", "runtime", "trackers"}
"""What no cell may have for itself: it is said of the whole."""
_PLAIN = re.compile(r"[A-Za-z0-9_.+-]{1,32}")

Cell = tuple[int | None, ...]
"""For each axis the number of its value; None where the spec's own stays."""


class Axis:
    """A path that cells set. `label` is its last part, or so much of it as tells it from the others; `values` are all different.

    `words`: what each value is called in a name: itself where it is a short word or a number, else its number (`#2`).
    """

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.label = ""
        self.values: list[Node] = []
        self.words: list[str] = []
        self.numbers: dict[str, int] = {}
        self.taken: set[str] = set()

    @property
    def parts(self) -> tuple[str, ...]:
        return self.assignment.parts

    @property
    def path(self) -> str:
        return ".".join(self.parts)

    def number(self, value: Node) -> int | None:
        """The number of a value that the axis has."""
        return self.numbers.get(repr(to_plain(value)))

    def add(self, value: Node) -> int:
        """The number of a value, which the axis has from now on."""
        known = self.number(value)
        if known is not None:
            return known
        self.numbers[repr(to_plain(value))] = len(self.values)
        word = value.text if isinstance(value, ScalarNode) and _PLAIN.fullmatch(value.text) else ""
        self.values.append(value)
        self.words.append(word if word and word not in self.taken else f"#{len(self.values)}")
        self.taken.add(word)
        return len(self.values) - 1


class Matrix(NamedTuple):
    axes: tuple[Axis, ...]
    cells: tuple[Cell, ...]

    def name(self, cell: Cell, axes: Collection[int] | None = None) -> str:
        """`layers=8,epochs=2`, of all axes or of some."""
        return ",".join(
            f"{axis.label}={axis.words[number]}"
            for index, (axis, number) in enumerate(zip(self.axes, cell, strict=True))
            if number is not None and (axes is None or index in axes)
        )

    def cover(self) -> list[Cell]:
        """Cells in which every value comes at least once: about as many as the longest axis has values, not the product."""
        there = dict.fromkeys(self.cells)
        lengths = [len(axis.values) for axis in self.axes]
        diagonal = [tuple(turn % length for length in lengths) for turn in range(max(lengths, default=0))]
        set_by_cells = [index for index in range(len(lengths)) if any(cell[index] is not None for cell in self.cells)]
        left = {(index, number) for index in set_by_cells for number in range(lengths[index])}
        found: list[Cell] = []
        for cell in [*(cell for cell in diagonal if cell in there), *self.cells]:
            new = left.intersection(enumerate(cell))
            if new:
                left -= new
                found.append(cell)
        alone = [tuple(number if index == at else None for at in range(len(lengths))) for index, number in sorted(left)]
        return [*(found or self.cells[:1]), *alone]  # in no cell at all, because `exclude` takes it out of each


class Placed:
    """A spec with the values of a cell in it. What is the same in two cells is the same object."""

    def __init__(self, matrix: Matrix, root: MappingNode) -> None:
        self.matrix, self.root = matrix, root
        self.places: dict[tuple[str, ...], list[int]] = {}  # a step, or a section that has none, with the axes that lead into it
        self.known: dict[tuple[tuple[str, ...], Cell], Entry] = {}
        for index, axis in enumerate(matrix.axes):
            self.places.setdefault(axis.parts[:2] if axis.parts[0] in KINDS else axis.parts[:1], []).append(index)

    def of(self, cell: Cell) -> MappingNode:
        entries = dict(self.root.entries)
        for place, axes in self.places.items():
            section_name = place[0]
            numbers: Cell = tuple([cell[axis] for axis in axes])
            if not any(number is not None for number in numbers):
                continue
            entry = self.entry(place, axes, numbers)
            if len(place) > 1:
                section = entries[section_name]
                assert isinstance(section.value, MappingNode)
                steps = section.value
                entry = Entry(section.key, section.key_span, MappingNode({**steps.entries, place[1]: entry}, steps.span, steps.flow))
            entries[section_name] = entry
        return MappingNode(entries, self.root.span, self.root.flow)

    def entry(self, place: tuple[str, ...], axes: Sequence[int], numbers: Cell) -> Entry:
        if (place, numbers) not in self.known:
            root = self.root
            for axis, number in zip([self.matrix.axes[axis] for axis in axes], numbers, strict=True):
                if number is not None:
                    root = assign(root, axis.assignment._replace(value=axis.values[number]), (place[0],))
            found = find(root, place)
            assert isinstance(found, Entry)
            self.known[place, numbers] = found
        return self.known[place, numbers]


def read_matrix(root: MappingNode, sections: Collection[str], over: Sequence[Assignment] = ()) -> tuple[Matrix | None, list[Diagnostic]]:
    """The matrix of a spec, and what is wrong with it. None where the spec has none, or none that can be made.

    Args:
        over: what a profile and `--set` have set in `root`; it wins over the cells.
    """
    reader = _Reader(root, sections)
    return reader.matrix(over), reader.found


class _Reader:
    def __init__(self, root: MappingNode, sections: Collection[str]) -> None:
        self.root, self.sections = root, sections
        self.found: list[Diagnostic] = []
        self.axes: list[Axis] = []

    def matrix(self, over: Sequence[Assignment]) -> Matrix | None:
        vary = at(self.root, "matrix", "vary")
        for entry in entries(vary):
            self.vary(entry)
        varied = len(self.axes)
        if not varied or vary is None:
            return None
        cells = self.included(self.combinations(vary.span), varied)
        if not cells:
            return None
        if len(cells) > MAX_CELLS:
            self.error(f"the matrix has {len(cells):,} cells", vary.span, f"at most {MAX_CELLS:,} make one plan")
            return None
        self.label()
        return Matrix(tuple(self.axes), tuple(dict.fromkeys(self.pinned(cells, over))))

    # -- vary -------------------------------------------------------------------------------------------------------------

    def vary(self, entry: Entry) -> None:
        if not isinstance(entry.value, SequenceNode) or not entry.value.items:
            return  # the schema reports it
        axis = self.axis(entry)
        if axis is None:
            return
        for value in entry.value.items:
            if (known := axis.number(value)) is not None:
                label = Label(axis.values[known].span, "first given here")
                self.error(f"`{shorten(axis.path)}` has this value twice", value.span, "take one of them out", (label,))
            else:
                axis.add(value)
        self.axes.append(axis)

    def axis(self, entry: Entry) -> Axis | None:
        """A path that cells set; None where it leads nowhere, or into or around another one."""
        vary = at(self.root, "matrix", "vary")
        beside = vary.entries if isinstance(vary, MappingNode) else ()
        found = make_assignment(entry.key, entry.key_span, entry.value, adds=False, beside=beside)
        if found.parts[0] in FIXED and found.parts[0] in self.sections:
            self.error(f"`{found.parts[0]}` cannot vary", found.spans[0], "a cell has steps, `task`, `decoding` and `seed` for itself")
            return None
        try:
            assign(self.root, found, self.sections)
        except Stop as stop:
            self.found.append(stop.diagnostic)
            return None
        for other in self.axes:
            short, long = sorted((other.parts, found.parts), key=len)
            if long[: len(short)] == short:
                label = Label(other.assignment.spans[-1], f"`{shorten(other.path)}` varies here")
                message = f"`{shorten(entry.key)}` and `{shorten(other.path)}` set one another's values"
                self.error(message, entry.key_span, "vary one of them", (label,))
                return None
        return Axis(found)

    def combinations(self, span: Span) -> list[Cell]:
        """All of them but for those that `exclude` takes out."""
        count = prod(len(axis.values) for axis in self.axes)
        if count > MAX_CELLS:
            self.error(
                f"the matrix has {count:,} combinations", span, f"at most {MAX_CELLS:,} make one plan, those of `exclude` counted in"
            )
            return []
        cells: dict[Cell, None] = dict.fromkeys(product(*(range(len(axis.values)) for axis in self.axes)))
        exclude = at(self.root, "matrix", "exclude")
        for item in exclude.items if isinstance(exclude, SequenceNode) else ():
            wanted = self.wanted(item)
            if not wanted:
                continue
            out = [cell for cell in cells if all(cell[index] == number for index, number in wanted.items())]
            if not out:
                self.error("this excludes no cell", item.span, "an entry before it has taken them out already")
            for cell in out:
                del cells[cell]
        if not cells and isinstance(exclude, SequenceNode):
            self.error("`exclude` leaves no cell", exclude.span, "leave one in")
        return list(cells)

    def wanted(self, item: Node) -> dict[int, int] | None:
        """The values that an entry of `exclude` names, by axis; None where it names something else."""
        found: dict[int, int] = {}
        good = True
        for entry in entries(item):
            index = next((i for i, axis in enumerate(self.axes) if axis.path == entry.key), None)
            if index is None:
                help = did_you_mean(entry.key, [axis.path for axis in self.axes], "these do")
                self.error(f"`{shorten(entry.key)}` does not vary", entry.key_span, help)
                good = False
            elif (number := self.axes[index].number(entry.value)) is None:
                values = [shorten(str(to_plain(value))) for value in self.axes[index].values]
                self.error(f"`{shorten(entry.key)}` never has this value", entry.value.span, f"it has {listing(values)}")
                good = False
            else:
                found[index] = number
        return found if good else None

    # -- include ----------------------------------------------------------------------------------------------------------

    def included(self, combinations: Sequence[Cell], varied: int) -> list[Cell]:
        """The combinations with what `include` adds to them, then the cells that it adds."""
        include = at(self.root, "matrix", "include")
        cells: list[dict[int, int]] = [{i: number for i, number in enumerate(cell) if number is not None} for cell in combinations]
        original = len(cells)
        for item in include.items if isinstance(include, SequenceNode) else ():
            values = self.values(item)
            if not values:
                continue
            matching = [
                cell for cell in cells[:original] if all(cell[index] == number for index, number in values.items() if index < varied)
            ]
            if not matching and values not in cells:
                cells.append(values)
            elif all(index < varied for index in values) or values in cells[original:]:
                self.error("this includes a cell that is there already", item.span, "take it out, or add what is new in it")
            for cell in matching:
                cell |= values
        return [tuple(cell.get(index) for index in range(len(self.axes))) for cell in cells]

    def values(self, item: Node) -> dict[int, int] | None:
        """What an entry of `include` sets, by axis; a new path is a new axis."""
        found: dict[int, int] = {}
        good = True
        for entry in entries(item):
            index = next((i for i, axis in enumerate(self.axes) if axis.path == entry.key), None)
            if index is None:
                axis = self.axis(entry)
                if axis is None:
                    good = False
                    continue
                index = len(self.axes)
                self.axes.append(axis)
            found[index] = self.axes[index].add(entry.value)
        return found if good else None

    # -- names, and what wins ---------------------------------------------------------------------------------------------

    def label(self) -> None:
        """The last part of each path; where two end alike, so many more that they do not."""
        for axis in self.axes:
            others = [other.parts for other in self.axes if other is not axis]
            length = next(n for n in range(1, len(axis.parts) + 1) if not any(other[-n:] == axis.parts[-n:] for other in others))
            axis.label = ".".join(axis.parts[-length:])

    def pinned(self, cells: Sequence[Cell], over: Sequence[Assignment]) -> Iterator[Cell]:
        """The cells without what a profile or `--set` has set. What these set inside of a value is set in each value of the axis."""
        gone = {i for i, axis in enumerate(self.axes) for a in over if axis.parts[: len(a.parts)] == a.parts}
        for index, axis in enumerate(self.axes):
            for other in over:
                if index not in gone and other.parts[: len(axis.parts)] == axis.parts:
                    axis.values = [inner_value(value, other, len(axis.parts)) for value in axis.values]
        for cell in cells:
            yield tuple(None if index in gone else number for index, number in enumerate(cell))

    def error(self, message: str, span: Span, help: str | None, related: tuple[Label, ...] = ()) -> None:
        self.found.append(Diagnostic("D027", Severity.ERROR, message, span, help, related=related))
