"""A spec's variants ready to be looked at: cells of its matrix spread out, references filled in. And where a finding's values come from."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from distillc.spec.check import Path, Walker
from distillc.spec.diagnostic import Diagnostic, Label, Span
from distillc.spec.nodes import MappingNode, Node, at, entries, items
from distillc.spec.references import KINDS
from distillc.spec.resolve import Assignment
from distillc.spec.source import Source, is_override
from distillc.spec.variants import within
from distillc.spec.wording import shorten

if TYPE_CHECKING:
    from distillc.spec.interpolate import Interpolation
    from distillc.spec.matrix import Cell, Matrix, Placed

MISSING_KEY = "D102"


class Variant(NamedTuple):
    """`root` is what rules look at. `cell`: its name, of a spec with a matrix. `failed`: places that could not be filled in."""

    root: MappingNode
    cell: str | None = None
    found: tuple[Diagnostic, ...] = ()
    failed: frozenset[Span] = frozenset()

    def sound(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings about this variant, without those about a text that should have been replaced."""
        return [*self.found, *(finding for finding in found if finding.span not in self.failed)]


class Cells:
    """The cells of a matrix, each with its spec, which shares with the others what is the same in both."""

    def __init__(self, placed: "Placed", composition: "Composition") -> None:
        self.placed: Final = placed
        self.composition: Final = composition

    @property
    def matrix(self) -> "Matrix":
        return self.placed.matrix

    def __iter__(self) -> "Iterator[tuple[Cell, Variant]]":
        return ((cell, self.variant(cell)) for cell in self.matrix.cells)

    def variant(self, cell: "Cell") -> Variant:
        return self.composition.variant(self.placed.of(cell), self.matrix.name(cell))


class Composition:
    """Of one spec. `came`: for each file that is extended the place that says so; `replaced`: for steps the place of those behind them."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        walker: Walker,
        sections: Collection[str],
        came: Mapping[str, Span],
        replaced: Mapping[Span, Span],
    ) -> None:
        self.sources = sources
        self.walker = walker
        self.sections = sections
        self.came = came
        self.replaced = replaced
        self.interpolation = _interpolation(sources)
        self.origins: dict[tuple[str, int], dict[Span, tuple[Label, ...]]] = {}
        self.hidden: dict[tuple[int, ...], tuple[MappingNode, list[Path]]] = {}

    def cells(self, root: MappingNode, over: Sequence[Assignment]) -> tuple[Cells | None, list[Diagnostic]]:
        """The cells of a spec, if it has a matrix, and what is wrong with it. `over`: what a profile and `--set` have set in `root`."""
        if root.get("matrix") is None:
            return None, []
        from distillc.spec.matrix import Placed, read_matrix

        matrix, found = read_matrix(root, self.sections, over)
        return (Cells(Placed(matrix, root), self) if matrix else None), found

    def variants(self, root: MappingNode, cells: Cells | None) -> Iterator[Variant]:
        """What there is to look at: the spec itself, or so many cells that every value of the matrix comes in one."""
        return map(cells.variant, cells.matrix.cover()) if cells else iter((self.variant(root, None),))

    def variant(self, root: MappingNode, cell: str | None) -> Variant:
        if self.interpolation is None:
            return Variant(root, cell)
        filled = self.interpolation.fill(root, self.secrets(root))
        for span, labels in filled.origins.items():
            self.origins.setdefault((span.file, span.line), {})[span] = labels
        return Variant(filled.root, cell, filled.diagnostics, filled.failed)

    def secrets(self, root: MappingNode) -> set[tuple[str, ...]]:
        """The paths of fields typed secret. What has no steps is looked at once for all variants in which it is the same."""
        others = tuple([id(entry.value) for entry in root if entry.key not in KINDS])
        if others not in self.hidden:
            rest = root.with_entries({entry.key: entry for entry in root if entry.key not in KINDS})
            self.hidden[others] = (rest, self.walker.check(rest).secrets)
        paths = list(self.hidden[others][1])
        for section in KINDS:
            for step in entries(root.get(section)):
                paths += self.walker.of_step(section, step).secrets
        return {tuple(map(str, path)) for path in paths}

    # -- where values come from -------------------------------------------------------------------------------------------

    def gathered(
        self, root: MappingNode, profiles: Sequence[tuple[str | None, Sequence[tuple[Variant, Sequence[Diagnostic]]]]]
    ) -> list[Diagnostic]:
        """The findings of all variants, each once; one that a profile or a cell alone has says so.

        Args:
            profiles: a profile (the first: as it was asked for) with its variants and their findings.
        """
        kept: dict[tuple[str, Span | None, str], Diagnostic] = {}
        values = [value.span for part in _parts(root.get("matrix")) for value in part]
        for number, (profile, variants) in enumerate(profiles):
            count = Counter(key for _, found in variants for key in {(d.code, d.span, d.message) for d in found})
            for variant, found in variants:
                for finding in found:
                    key = (finding.code, finding.span, finding.message)
                    if key in kept:
                        continue
                    notes = finding.notes
                    if variant.cell and count[key] < len(variants) and not _in_any(finding.span, values):
                        notes = (*notes, f"in the cell {variant.cell}, for one")
                    if number and not self.setting(root, finding.span):
                        notes = (*notes, f"with profile `{profile}`")
                    kept[key] = finding._replace(notes=notes)
        return list(kept.values())

    def explained(self, root: MappingNode, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings with what there is to say about where their values were set. Of those about the text itself there is nothing."""
        return [self.explain(root, finding) if finding.span and finding.code >= "D1" else finding for finding in found]

    def explain(self, root: MappingNode, finding: Diagnostic) -> Diagnostic:
        span = finding.span
        if span is None:
            return finding
        notes, related, fix = finding.notes, finding.related, finding.fix
        if origin := self.defined(span):
            related = (*related, *origin)
            fix = None  # it would mend the reference, not the value
        if profile := self.setting(root, span):
            notes = (*notes, f"set by profile `{shorten(profile)}`")
        if is_override(span.file):
            notes, fix = (*notes, "set by `--set`"), None
        if finding.code == MISSING_KEY and span in self.replaced:
            related = (*related, Label(self.replaced[span], "this one is not added to, but replaced"))
            notes = (*notes, "a step takes the place of the whole step that is extended; a profile or `--set` sets one value of it")
        file = span.file
        while file in self.came:
            related = (*related, Label(self.came[file], f"`{shorten(file)}` comes in here"))
            file = self.came[file].file
        return finding._replace(notes=notes, related=related, fix=fix)

    def defined(self, span: Span) -> tuple[Label, ...]:
        """The places of the values that were put in where a finding points to."""
        here = self.origins.get((span.file, span.line), {})
        return here.get(span) or next((labels for outer, labels in here.items() if within(span, outer)), ())

    def setting(self, root: MappingNode, span: Span | None) -> str | None:
        """The profile that a place belongs to."""
        profiles = root.get("profiles")
        if profiles is None or span is None:
            return None
        return next((entry.key for entry in entries(profiles) if within(span, entry.value.span)), None)


def _interpolation(sources: Mapping[str, Source]) -> "Interpolation | None":
    """What fills in references, where there is any."""
    if not any("${" in source.text for source in sources.values()):
        return None
    from distillc.spec.interpolate import Interpolation

    return Interpolation(sources)


def _parts(matrix: Node | None) -> Iterator[tuple[Node, ...]]:
    """The values that a matrix has: a finding at one of them names its cell by its place."""
    for entry in entries(at(matrix, "vary")):
        yield items(entry.value)
    yield items(at(matrix, "include"))


def _in_any(span: Span | None, places: Iterable[Span]) -> bool:
    return span is not None and any(within(span, place) for place in places)
