"""Which step refers to which, and an order in which each comes after what it refers to."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from distillc.compiler.document import Where
from distillc.compiler.lower.graph import Graph, split_reference
from distillc.compiler.marks import REFERENCES
from distillc.spec.model import (
    CaptureStep,
    CurateStep,
    DeployStep,
    EvaluateStep,
    GenerateStep,
    ModelStep,
    QuantizeStep,
    SourceStep,
    Spec,
    TrainStep,
    Uses,
)

MAKES = {
    "rows": ("data", "generate", "curate"),
    "model": ("models", "train", "quantize", "choose"),
    "gate": ("evaluate",),
    "capture": ("capture",),
}
"""Which sections' steps a reference of each kind may name."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A name as it is written somewhere. `kind` is a key of MAKES; `capture` is a train step's whose signals a step of its own captures."""

    text: str
    kind: str
    where: Where


@dataclass(frozen=True, slots=True)
class Step:
    section: str
    name: str
    body: Any
    """The typed model of `spec/model.py` that belongs to the section."""

    @property
    def where(self) -> Where:
        return (self.section, self.name)


def steps(spec: Spec) -> list[Step]:
    """Every step, in the order of the sections and of the file."""
    return [Step(section, name, body) for section in Spec.STEP_SECTIONS for name, body in getattr(spec, section).items()]


def references(graph: Graph, step: Step) -> Iterator[Reference]:
    """All names that a step refers to: those of the section's own keys, then those of its plugins' fields."""
    where = step.where
    match step.body:
        case GenerateStep() | CurateStep() as body:
            yield from _names("rows", body.from_, (*where, "from"))
            kind = "generators" if step.section == "generate" else "curators"
            for index, item in enumerate(body.steps):
                yield from _plugin(graph, kind, item, (*where, "steps", index))
        case SourceStep() as body:
            yield from _plugin(graph, "sources", body, where)
        case ModelStep() as body:
            yield from _names("model", body.from_, (*where, "from"))
            yield from _plugin(graph, model_kind(graph, body), body, where)
        case CaptureStep() as body:
            yield from _names("rows", body.data, (*where, "data"))
            yield from _names("model", body.teacher, (*where, "teacher"))
        case TrainStep() as body:
            yield from _train(graph, body, where)
        case QuantizeStep() as body:
            yield from _names("model", body.from_, (*where, "from"))
            yield from _plugin(graph, "quantizers", body, where)
        case EvaluateStep() as body:
            yield from _evaluate(graph, body, where)
        case DeployStep() as body:
            yield from _names("model", body.from_, (*where, "from"))
            yield from _names("gate", body.needs, (*where, "needs"))
            yield from _plugin(graph, "targets", body, where)


def model_kind(graph: Graph, step: ModelStep) -> str:
    """`models:` takes teachers and students; a name that both have is a student where it is made `from` something."""
    both = [kind for kind in ("teachers", "students") if step.uses in graph.plugins.names(kind)]
    if len(both) == 2:
        return "students" if step.from_ else "teachers"
    return both[0] if both else "teachers"


def _train(graph: Graph, body: TrainStep, where: Where) -> Iterator[Reference]:
    yield from _names("model", body.model, (*where, "model"))
    yield from _names("rows", body.data, (*where, "data"))
    yield from _names("rows", body.validation, (*where, "validation"))
    for name, loss in body.losses.items():
        yield from _names("model", loss.teacher, (*where, "losses", name, "teacher"))
        yield from _plugin(graph, "losses", loss, (*where, "losses", name))
        if capture := written_capture(graph.spec, body.data, loss.teacher):
            yield Reference(capture, "capture", (*where, "losses", name))
    yield from _plugin(graph, "trainers", body.trainer, (*where, "trainer"))


def _evaluate(graph: Graph, body: EvaluateStep, where: Where) -> Iterator[Reference]:
    for name, reference in body.data_sets.items():
        yield from _names("rows", reference, (*where, "data", name))
    yield from _names("model", body.models, (*where, "models"))
    for index, metric in enumerate(body.metrics):
        yield from _plugin(graph, "metrics", metric, (*where, "metrics", index))
    for name, judge in body.judges.items():
        yield from _plugin(graph, "judges", judge, (*where, "judges", name))
    for name, gate in body.gates.items():
        yield from _names("model", [gate.model, gate.against], (*where, "gates", name))


def written_capture(spec: Spec, data: str, teacher: str | None) -> str | None:
    """The step under `capture:` that asks this teacher about this data, if there is one."""
    return next((name for name, step in spec.capture.items() if (step.teacher, step.data) == (teacher, data)), None)


def _plugin(graph: Graph, kind: str, step: Uses, where: Where) -> Iterator[Reference]:
    for marked in graph.marks(kind, step.uses):
        if marked.mark in REFERENCES:
            yield from _names(marked.mark, step.fields.get(marked.field), (*where, marked.field))


def _names(kind: str, value: Any, where: Where) -> Iterator[Reference]:
    many = isinstance(value, list | tuple)
    for index, text in enumerate(value if many else [value]):
        if isinstance(text, str):
            yield Reference(text, kind, (*where, index) if many else where)


def ordered(graph: Graph, found: Sequence[Step]) -> list[Step]:
    """Kahn's algorithm; among the steps that are ready, the first in the file. Names that do not exist and loops become findings."""
    by_name = {step.name: index for index, step in enumerate(found)}
    gates = {gate: step.name for step in found if step.section == "evaluate" for gate in step.body.gates}
    waits: list[set[int]] = []
    for step in found:
        targets = set()
        for reference in references(graph, step):
            name = gates.get(reference.text) if reference.kind == "gate" else split_reference(reference.text)[0]
            if name is None or name not in by_name:
                what = {"rows": "rows step", "model": "model", "gate": "gate"}[reference.kind]
                graph.error(
                    "D201", reference.where, f"there is no {what} called '{reference.text}'", "names are those of steps in this file"
                )
            elif (section := found[by_name[name]].section) not in MAKES[reference.kind]:
                what = {"rows": "rows", "model": "a model"}.get(reference.kind, reference.kind)
                graph.error("D202", reference.where, f"'{name}' stands under {section}: that is not {what}", None)
            else:
                targets.add(by_name[name])
        waits.append(targets)
    followers: list[list[int]] = [[] for _ in found]
    for index, targets in enumerate(waits):
        for target in targets:
            followers[target].append(index)
    left = [len(targets) for targets in waits]
    ready = [index for index, count in enumerate(left) if not count]
    heapq.heapify(ready)
    order: list[Step] = []
    while ready:
        index = heapq.heappop(ready)
        order.append(found[index])
        for follower in followers[index]:
            left[follower] -= 1
            if not left[follower]:
                heapq.heappush(ready, follower)
    if len(order) < len(found):
        _report_loop(graph, found, waits, left)
    return order


def _report_loop(graph: Graph, found: Sequence[Step], waits: Sequence[set[int]], left: Sequence[int]) -> None:
    """Walks back from a step that never became ready until a step comes twice: that stretch is a loop."""
    current = next(index for index, count in enumerate(left) if count)
    path: list[int] = []
    while current not in path:
        path.append(current)
        current = min(target for target in waits[current] if left[target])
    loop = [found[index].name for index in [*path[path.index(current) :], current]]
    graph.error(
        "D204", found[current].where, f"steps go round in a loop: {' → '.join(loop)}", "let one of them take its input from elsewhere"
    )
