"""What the text says of the rows behind a name: the steps that they pass, how many they can be, whether they have targets.

Rules ask here. What the text leaves open (a plugin that is not known, a name that leads nowhere) is answered with None.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from distillc.spec.diagnostic import Span
from distillc.spec.nodes import Node, at, items, text, uses, whole
from distillc.spec.references import split_name
from distillc.spec.rules import Context

MAX_STEPS = 1000
"""A longer way is a loop, which another rule reports."""
FILE_SOURCES = frozenset({"jsonl", "csv"})
_LIMITED = FILE_SOURCES | {"docstrings"}
"""Sources whose `limit` bounds their rows."""
_ONE_FROM_ONE = frozenset({"corrupt", "answer"})
"""Generators that make at most one row of each."""


@dataclass(frozen=True, slots=True)
class RowsStep:
    """A step of data, generate or curate. `origin` is what it is made from, `only` the split that it takes of that."""

    name: str
    section: str
    node: Node
    span: Span
    origin: str | None
    only: str | None


def steps_behind(name: str, context: Context) -> list[RowsStep]:
    """The step of that name first, then what it is made from, down to a step of `data`; fewer where a name leads nowhere."""
    found: list[RowsStep] = []
    following: str | None = name
    while following is not None and len(found) < MAX_STEPS:
        definition = context.definitions.get(following)
        node = context.at(*definition.path) if definition and definition.kind == "rows" else None
        if definition is None or node is None:
            break
        reference = text(at(node, "from")) if definition.section != "data" else None
        origin, only = split_name(reference) if reference else (None, None)
        found.append(RowsStep(following, definition.section, node, definition.span, origin, only))
        following = origin
    return found


def taken_split(steps: Sequence[RowsStep]) -> str | None:
    """The one split that the rows come from, where a step took only that."""
    return next((step.only for step in reversed(steps) if step.only), None)


def plugins(step: RowsStep) -> list[tuple[str | None, Node]]:
    """The generators or curators of a step, in order: their names and nodes."""
    return [(uses(item), item) for item in items(at(step.node, "steps"))]


def most_training_rows(steps: Sequence[RowsStep]) -> int | None:
    """An upper bound, from the limits that are written; None without any."""
    most: int | None = None
    for step in reversed(steps):
        if step.section == "data":
            limit = whole(at(step.node, "limit")) if uses(step.node) in _LIMITED else None
            held_out = (whole(at(step.node, "split", "validation")) or 0) + (whole(at(step.node, "split", "test")) or 0)
            most = None if limit is None else limit - held_out
        elif step.section == "generate":
            limit = whole(at(step.node, "limit"))
            most = None if most is None else most - (whole(at(step.node, "skip")) or 0)
            most = limit if most is None else most if limit is None else min(most, limit)
            if any(name not in _ONE_FROM_ONE for name, _ in plugins(step)):
                most = None
    return most


def targets_dropped_by(steps: Sequence[RowsStep]) -> RowsStep | None:
    """The step that leaves its rows without targets, where no later one writes any; None where rows have some, or may have."""
    bare: RowsStep | None = None
    for step in reversed(steps):
        if step.section == "data":
            bare = step if uses(step.node) == "docstrings" else None
        for name, node in plugins(step) if step.section == "generate" else ():
            if name == "corrupt":
                bare = step if text(at(node, "gold")) == "drop" else None
            elif name != "answer" or text(at(node, "into")) != "output":
                bare = None
    return bare


def answered_by(steps: Sequence[RowsStep]) -> tuple[RowsStep, Node] | None:
    """The step and the generator whose answers are the rows' targets, where a model wrote them."""
    for step in steps:
        for name, node in reversed(plugins(step)) if step.section == "generate" else ():
            if name == "answer" and text(at(node, "into")) in (None, "target"):
                return step, node
            if name != "answer":
                return None
    return None
