"""Lowers the question whether test rows stand among training rows: one stage a train step that an evaluation tests, before it trains.

The training's key does not hang on the answer (a test set may grow without a new training), the evaluation's does: what proves
something has asked. Only the order of the plan lets the question come first.
"""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from distillc.compiler.lower.graph import Draft, Graph, Step
from distillc.compiler.plan import Input

KIND = "overlap"


def lower_overlaps(graph: Graph, step: Step, models: list[str], tests: Mapping[str, Input]) -> dict[str, Input]:
    """A port for each train step behind the models of an evaluation. A second evaluation with other test sets asks for itself."""
    behind = dict.fromkeys(other for name in models for other in graph.outline.behind(name))
    found = {}
    for name, model in graph.models.items():
        if name in behind and model.section == "train" and model.data is not None:
            rows = graph.rows_input(model.data, "train")
            named = {data: f"{entry.stage}.{entry.split}" if entry.split else entry.stage for data, entry in tests.items()}
            config: dict[str, Any] = {"step": name, "data": model.data, "tests": named}
            stage = f"{name}/{KIND}"
            if stage in graph.drafts:
                stage = f"{stage}/{step.name}"
            inputs = {"rows": rows, **{f"test.{data}": entry for data, entry in tests.items()}}
            draft = Draft(stage, KIND, None, config, inputs, name, model.where)
            found[f"{KIND}.{name}"] = Input(graph.once(stage, inputs, [model.data], partial(graph.add, draft)))
    return found


def before_training(drafts: Mapping[str, Draft], done: Collection[str] = ()) -> dict[str, Draft]:
    """The drafts in an order in which a training, and the capture for it, comes after its overlap stages and all that those read.

    A test set that is made by the very model under training can be asked about only afterwards: its stage stays where it was. Drafts that
    are `done`, as all that they read is, are left out.
    """
    questions: dict[str, list[str]] = {}
    for draft in drafts.values():
        if draft.kind == KIND and draft.id not in done:
            questions.setdefault(draft.origin, []).append(draft.id)
    position = {id: index for index, id in enumerate(drafts)}
    placed: dict[str, Draft] = {}

    def place(id: str, waiting: frozenset[str]) -> None:
        if id in placed:
            return
        draft = drafts[id]
        for question in questions.get(draft.origin, ()) if draft.kind != KIND else ():
            asking = waiting | {draft.origin}
            needed = _needed(drafts, question, placed, done)
            if not asking & needed:
                for other in sorted(needed, key=position.__getitem__):
                    place(other, asking)
        placed[id] = draft

    for id in drafts:
        if id not in done:
            place(id, frozenset())
    return placed


def _needed(drafts: Mapping[str, Draft], stage: str, placed: Mapping[str, Draft], done: Collection[str]) -> set[str]:
    """A stage and all that it reads, but for what has its place already."""
    found: set[str] = set()
    waiting = [stage]
    while waiting:
        at = waiting.pop()
        if at not in found and at not in placed and at not in done:
            found.add(at)
            waiting += [entry.stage for entry in drafts[at].inputs.values()]
    return found
