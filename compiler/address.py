"""Gives stages their keys and names, and the plan its lock.

Of stages with equal keys the first stays, and the others' readers read it. A stage that differs between cells is called after them,
`student[layers=8]/capture`, by the axes that its key hangs on and no others. A bundle takes along the lock of its own cell.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distillc.compiler import lock
from distillc.compiler.cells import Part, Version, told_apart
from distillc.compiler.document import Where
from distillc.compiler.estimate import Estimates
from distillc.compiler.keys import result_config, stage_key
from distillc.compiler.lower.graph import Draft
from distillc.compiler.plan import Input, Stage
from distillc.compiler.plugins import Plugins
from distillc.spec.errors import DistillError
from distillc.spec.marks import Marked
from distillc.spec.matrix import Cell, Matrix
from distillc.spec.nodes import Entry
from distillc.spec.resolve import nearest

Marks = Callable[[str, str], tuple[Marked, ...]]


@dataclass(slots=True)
class Addressed:
    """What a plan has of them. `origins` and `aliases` know the names of stages that were left out, too."""

    stages: list[Stage] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


def address(parts: Sequence[Part], matrix: Matrix | None, plugins: Plugins, marks: Marks, folder: Path) -> Addressed:
    """Stages with their keys, names and estimates, part by part. `folder`: the spec's, whose files may be looked at for their size."""
    locks = Locks(plugins)
    for part in parts:
        for draft in part.own:
            _key(part, draft, locks, marks)
    lines = Lines()
    found = Addressed()
    if matrix is not None:
        _tell_apart(parts, matrix, found)
    estimates = Estimates({}, own_estimate(plugins), folder)
    first: dict[str, str] = {}
    for part in parts:
        for draft in part.own:
            name = draft.called
            if name in found.origins and draft.key not in first and matrix is not None:
                draft.cell = matrix.name(part.cell)
                name = draft.called
            found.origins[name] = f"{draft.origin}[{draft.cell}]" if draft.cell else draft.origin
            if draft.key in first:
                draft.name = first[draft.key]
                if name != draft.name:
                    found.aliases[name] = draft.name
                continue
            first[draft.key] = draft.name = name
            found.stages.append(estimates.of(_stage(part, draft, lines)))
    return found


def _key(part: Part, draft: Draft, locks: "Locks", marks: Marks) -> None:
    if draft.kind == "bundle":
        draft.config = {**draft.config, "lock": locks.of_part(part)}
    relevant = result_config(draft.kind, draft.uses, draft.config, marks)
    inputs = {port: (part.drafts[entry.stage].key, entry.split) for port, entry in draft.inputs.items()}
    draft.key = stage_key(draft.kind, draft.uses, relevant, inputs)


def _stage(part: Part, draft: Draft, lines: "Lines") -> Stage:
    inputs = {
        port: entry if entry.stage == (name := part.drafts[entry.stage].name) else Input(name, entry.split)
        for port, entry in draft.inputs.items()
    }
    return Stage(draft.name, draft.kind, draft.uses, draft.config, inputs, draft.key, line=lines.of(part, draft.where))


class Lines:
    """The lines of places in steps, each looked for once for all cells that have the step."""

    def __init__(self) -> None:
        self.known: dict[tuple[Where, Version | None], int | None] = {}

    def of(self, part: Part, where: Where) -> int | None:
        key = (where, part.versions.get(str(where[1])))
        if key not in self.known:
            place = nearest(part.outline.root, where)
            span = place.key_span if isinstance(place, Entry) else place.span if place else None
            self.known[key] = span.line if span else None
        return self.known[key]


# -- names ------------------------------------------------------------------------------------------------------------------


def _tell_apart(parts: Sequence[Part], matrix: Matrix, found: Addressed) -> None:
    """Says of each draft in which cells it is, where not all cells have the same."""
    for step in dict.fromkeys(name for part in parts for name in part.versions):
        having = [part for part in parts if step in part.versions]
        if len({id(part.versions[step]) for part in having}) == 1:
            continue
        axes = told_apart([part.cell for part in having], [id(part.versions[step]) for part in having])
        cells: dict[Cell, Version] = {}
        for part in having:
            cells.setdefault(tuple([n if axis in axes else None for axis, n in enumerate(part.cell)]), part.versions[step])
        for id_ in dict.fromkeys(id_ for version in cells.values() for id_ in version.drafts or ()):
            pairs = [(cell, version.drafts[id_]) for cell, version in cells.items() if version.drafts and id_ in version.drafts]
            keys = [draft.key for _, draft in pairs]
            if len(set(keys)) > 1:
                _call(pairs, axes if len(set(keys)) == len(pairs) else told_apart([cell for cell, _ in pairs], keys), matrix, found)


def _call(pairs: Sequence[tuple[Cell, Draft]], axes: Sequence[int], matrix: Matrix, found: Addressed) -> None:
    keys = {tuple([cell[axis] for axis in axes]): draft.key for cell, draft in pairs}
    alike: dict[str, list[Cell]] = {}
    for cell, key in keys.items():
        alike.setdefault(key, []).append(cell)
    saying = {key: _saying(cells, keys) for key, cells in alike.items()}
    for cell, draft in pairs:
        name = matrix.name(cell, [axes[at] for at in saying[draft.key]])
        if not draft.cell:
            draft.cell = name
        elif name != draft.cell:  # two cells with one result: whoever asks for the other one gets it too
            found.aliases[draft.called_in(name)] = draft.called
            found.origins[draft.called_in(name)] = f"{draft.origin}[{name}]"


def _saying(cells: Sequence[Cell], keys: Mapping[Cell, str]) -> Sequence[int]:
    """The positions in which all cells with one key agree, if none with another has the same values there; else all positions."""
    first, everything = cells[0], range(len(cells[0]))
    same = [at for at in everything if all(cell[at] == first[at] for cell in cells)]
    if len(same) == len(first) or not same:
        return everything
    others = (cell for cell in keys if all(cell[at] == first[at] for at in same))
    return same if all(keys[cell] == keys[first] for cell in others) else everything


# -- the lock ---------------------------------------------------------------------------------------------------------------


class Locks:
    """What a plan, or one of its parts, was made from that the spec does not say."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        self.known: dict[tuple[object, ...], str] = {}

    def of_part(self, part: Part) -> str:
        """The text of it: as of a spec that has the part's cell alone."""
        versions = part.versions.values()
        used = frozenset[tuple[str, str]]().union(*(version.used for version in versions))
        key = (used, *[version for version in versions if version.leaves or version.pinned is not None])
        if key not in self.known:
            facts = {version.step.name: version.pinned for version in versions if version.pinned is not None}
            self.known[key] = lock.to_text(lock.make_lock(_leaves(versions), facts, self._distributions(used)))
        return self.known[key]

    def of_plan(self, parts: Sequence[Part]) -> dict[str, Any]:
        """Models whose facts differ between cells are called as their stages are."""
        versions = list(dict.fromkeys(version for part in parts for version in part.versions.values()))
        used = frozenset[tuple[str, str]]().union(*(version.used for version in versions))
        facts = {(version.drafts or {})[version.step.name].called: version.pinned for version in versions if version.pinned is not None}
        return lock.make_lock(_leaves(versions), facts, self._distributions(used))

    def _distributions(self, used: Iterable[tuple[str, str]]) -> dict[str, str]:
        found = {}
        for kind, name in used:
            try:
                entry = self.plugins.entry(kind, name)
            except DistillError:
                continue
            found[f"{kind}.{name}"] = f"{entry.distribution} {entry.version}"
        return found


def _leaves(versions: Iterable[Version]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for version in versions:
        for step, its in version.leaves.items():
            found.setdefault(step, {}).update(its)
    return found


# -- estimates --------------------------------------------------------------------------------------------------------------


def own_estimate(plugins: Plugins) -> Callable[[str, str, Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]:
    """Asks the config class of a plugin, where it has something to say."""
    classes: dict[tuple[str, str], Any] = {}

    def ask(kind: str, name: str, config: Mapping[str, Any], inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        if (kind, name) not in classes:
            found = plugins.config_class(kind, name) if name in plugins.names(kind) else None
            classes[kind, name] = found if callable(getattr(found, "estimate", None)) else None
        config_class = classes[kind, name]
        if config_class is None:
            return {}
        known = config_class.model_fields
        said = config_class.model_validate({key: value for key, value in config.items() if key in known}).estimate(inputs)
        return said if isinstance(said, Mapping) else {}

    return ask
