"""The steps that are sound, in an order in which each comes after what it names.

Sound is a step whose shape is right, whose names all lead to what they should, and whose steps before it are sound. What is wrong with
the others has been said; a rule that looked at them would only say what follows from it. So rules see a whole spec, if a smaller one.
"""

import heapq
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from distillc.spec.check import Walker
from distillc.spec.filled import Schema, filled
from distillc.spec.nodes import Node, at, entries, text
from distillc.spec.references import KINDS, SPLITS, owner, split_name
from distillc.spec.rules import Context

UNKNOWN = frozenset({"choose"})
"""Sections whose steps, and all that hang on them, this version cannot follow (`unsupported` says so)."""


class Step:
    """A step of a section. `section`, `name` and `node` are as in the file; `needs` are the steps that it names."""

    def __init__(self, section: str, name: str, node: Node, schema: Schema, walker: Walker) -> None:
        self.section = section
        self.name = name
        self.node = node
        self.needs: frozenset[str] = frozenset()
        self._schema = schema
        self._walker = walker

    def as_in(self, node: Node) -> "Step":
        """The step of the same name with the same needs, as another node has it."""
        step = Step(self.section, self.name, node, self._schema, self._walker)
        step.needs = self.needs
        return step

    @property
    def where(self) -> tuple[str, str]:
        return (self.section, self.name)

    def data_sets(self) -> "list[tuple[tuple[str, ...], str]]":
        """Of an evaluation: its rows, the first set first, each with the place that names it."""
        data = self.body["data"]
        where = (*self.where, "data")
        return [(where, data)] if isinstance(data, str) else [((*where, name), reference) for name, reference in data.items()]

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """Plain data with every default of the language and of the plugins in it."""
        return filled(self.node, self._schema, self._walker)  # type: ignore[no-any-return]  # a step is a mapping or a plugin's name


def sound_steps(context: Context, walker: Walker) -> list[Step]:
    """Kahn's algorithm; among the steps that are ready the first in the file, sections in the language's order. Linear but for the heap."""
    steps = _steps(context, walker)
    place = {step.name: index for index, step in enumerate(steps)}
    waits = _waits(context, steps, place)
    followers: list[list[int]] = [[] for _ in steps]
    for index, targets in enumerate(waits):
        steps[index].needs = frozenset(steps[target].name for target in targets or ())
        for target in targets or ():
            followers[target].append(index)
    left = [-1 if targets is None else len(targets) for targets in waits]
    ready = [index for index, count in enumerate(left) if not count]
    order: list[Step] = []
    while ready:
        index = heapq.heappop(ready)
        order.append(steps[index])
        for follower in followers[index]:
            left[follower] -= 1
            if not left[follower]:
                heapq.heappush(ready, follower)
    return order


def _steps(context: Context, walker: Walker) -> list[Step]:
    """Every step, but for a second one of the same name and those whose shape is wrong."""
    sections: Mapping[str, Any] = walker.root.get("properties", {})
    found = []
    for section in KINDS:
        schema = sections.get(section, {}).get("additionalProperties", {})
        for entry in entries(context.root.get(section)):
            path = (section, entry.key)
            if context.definitions[entry.key].path == path and path not in context.malformed and section not in UNKNOWN:
                found.append(Step(section, entry.key, entry.value, schema, walker))
    return found


def _waits(context: Context, steps: list[Step], place: Mapping[str, int]) -> list[set[int] | None]:
    """For each step those that it names; None for one that names something which is not there, or is of another kind."""
    waits: list[set[int] | None] = [set() for _ in steps]
    for reference in context.references:
        section, owning = owner(reference) or ("", "")
        index = place.get(owning)
        if index is None or steps[index].section != section or reference.expects == "metric":
            continue
        name, split = split_name(reference.text)
        definition = context.definitions.get(name)
        target = place.get(definition.path[1]) if definition and definition.kind == reference.expects else None
        known = waits[index]
        if target is None or (split is not None and (reference.expects != "rows" or split not in SPLITS)):
            waits[index] = None
        elif known is not None:
            known.add(target)
    captures = {capture_of(step.node): index for index, step in enumerate(steps) if step.section == "capture"}
    for index, step in enumerate(steps):
        known = waits[index]
        if step.section == "train" and known is not None and captures:
            data = text(at(step.node, "data"))
            asked = [(data, text(at(loss.value, "teacher"))) for loss in entries(at(step.node, "losses"))]
            known |= {captures[key] for key in asked if key in captures}
    return waits


def capture_of(node: Node) -> tuple[str | None, str | None]:
    """The data and the teacher of a capture step."""
    return text(at(node, "data")), text(at(node, "teacher"))
