"""Lowers the parts of a plan, each step once for all parts in which it has the same version.

In each part stages have the names that they have in a spec without a matrix, so that whoever lowers a step need not know of cells;
`address.py` tells them apart afterwards. A report says which values its cells have, of the axes that it hangs on.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from distillc.compiler.cells import Part, Version, told_apart
from distillc.compiler.document import Document
from distillc.compiler.lower.graph import Graph, Known
from distillc.compiler.lower.overlap import before_training
from distillc.compiler.lower.sections import lower_step
from distillc.compiler.plugins import Plugins
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.lint import load, validated
from distillc.spec.matrix import Cell, Matrix
from distillc.spec.model import Spec
from distillc.spec.nodes import Entry, MappingNode, Node, ScalarNode, at, entries, to_plain
from distillc.spec.resolve import Resolved
from distillc.spec.scalars import scalar_value


def lower_parts(
    parts: Sequence[Part], matrix: Matrix | None, document: Document, resolved: Resolved, plugins: Plugins, folder: Path
) -> list[Diagnostic]:
    """Fills the drafts of all parts, and what their versions say of themselves; returns what is wrong with no step.

    `document` is of one of the parts, or of another cell.
    """
    specs = Typed(document.spec, resolved)
    axes = _axes_of_evaluations(parts) if matrix else {}
    known = Known()
    whole = Graph(document, parts[0].outline, plugins, folder, known)
    whole.fields("executors", document.spec.runtime, ("runtime",))
    used = dict(whole.outline.used)
    for part in parts:
        graph = Graph(document, part.outline, plugins, folder, known)
        typed = False
        for step in part.outline.order:
            version = part.versions[step.name]
            if version.drafts is not None:
                graph.drafts.update(version.drafts)
                continue
            if not typed:
                graph.document = replace(document, spec=specs.of(part.outline.root))
                typed = True
            if version in axes and matrix:
                graph.overrides = (*_values(matrix, part, axes[version]), *document.overrides)
            _lower(graph, version)
        part.drafts = graph.drafts
        part.own = list(before_training(part.drafts, {draft.id for draft in part.drafts.values() if draft.placed}).values())
        for draft in part.own:
            draft.placed = True
        part.outline.used = {}
        for version in reversed(part.versions.values()):
            part.outline.used |= version.used  # of several places the first stays
        part.outline.used |= used
    return whole.findings


def _lower(graph: Graph, version: Version) -> None:
    before = len(graph.drafts)
    graph.leaves, graph.findings, graph.outline.used = {}, [], {}
    lower_step(graph, version.step.section, version.step.name)
    version.drafts = dict(islice(graph.drafts.items(), before, None))
    version.leaves, version.used = graph.leaves, graph.outline.used
    version.findings += graph.findings


def _axes_of_evaluations(parts: Sequence[Part]) -> dict[Version, list[int]]:
    """For each version of an evaluation the axes that it hangs on, but for those in which its cells differ."""
    found = {}
    names = dict.fromkeys(name for part in parts for name, version in part.versions.items() if version.step.section == "evaluate")
    for name in names:
        having = [part for part in parts if name in part.versions]
        axes = told_apart([part.cell for part in having], [id(part.versions[name]) for part in having])
        cells: dict[Version, list[Cell]] = {}
        for part in having:
            cells.setdefault(part.versions[name], []).append(part.cell)
        for version, its in cells.items():
            found[version] = [axis for axis in axes if len({cell[axis] for cell in its}) == 1]
    return found


def _values(matrix: Matrix, part: Part, axes: Sequence[int]) -> Iterator[str]:
    """What a cell sets, as `--set` would take it."""
    for axis in axes:
        number = part.cell[axis]
        if number is not None:
            yield f"{matrix.axes[axis].path}={_written(matrix.axes[axis].values[number])}"


def _written(value: Node) -> str:
    if isinstance(value, ScalarNode) and (not isinstance(value.value, str) or scalar_value(value.text) == value.value):
        return value.text
    return json.dumps(to_plain(value), ensure_ascii=False)


class Typed:
    """The typed spec of each part. A step is validated once, and so is all that has no steps."""

    def __init__(self, first: Spec, resolved: Resolved) -> None:
        self.resolved = resolved
        self.wholes = {_without_steps(resolved.root): (resolved.root, first)}
        self.bodies: dict[int, tuple[Node, Any]] = {}  # with the node, so that no other can get its id

    def of(self, root: MappingNode) -> Spec:
        key = _without_steps(root)
        if key not in self.wholes:
            self.wholes[key] = (root, load(self.resolved._replace(root=root)))
        known, spec = self.wholes[key]
        changed = {
            section: self._section(root, section, known.get(section), getattr(spec, section))
            for section in Spec.STEP_SECTIONS
            if root.get(section) is not known.get(section)
        }
        return spec.model_copy(update=changed) if changed else spec

    def _section(self, root: MappingNode, section: str, known: Node | None, bodies: Mapping[str, Any]) -> dict[str, Any]:
        return {
            entry.key: bodies[entry.key] if at(known, entry.key) is entry.value else self._body(root, section, entry)
            for entry in entries(root.get(section))
        }

    def _body(self, root: MappingNode, section: str, entry: Entry) -> Any:
        node = entry.value
        if id(node) not in self.bodies:
            here = self.resolved._replace(root=root)
            self.bodies[id(node)] = (node, validated(_CLASSES[section], node, here, (section, entry.key)))
        return self.bodies[id(node)][1]


_CLASSES: Mapping[str, Any] = {section: get_args(Spec.model_fields[section].annotation)[1] for section in Spec.STEP_SECTIONS}
"""The typed model of a section's steps."""


def _without_steps(root: MappingNode) -> tuple[int, ...]:
    return tuple(id(entry.value) for entry in root if entry.key not in Spec.STEP_SECTIONS)
