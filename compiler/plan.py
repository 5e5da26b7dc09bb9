"""The plan: plain data, JSON in and JSON out. `run` takes a saved one.

A stage is one unit of work with one sealed artifact. Stages stand in an order in which they can run.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

PLAN_VERSION = 1


@dataclass(frozen=True, slots=True)
class Input:
    """The artifact of another stage, and of rows the split that is meant (None: all of them)."""

    stage: str
    split: str | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a stage is expected to cost. None where nothing is known; `seconds` on this kind of machine, `bytes` on disk.

    `rows` and `tokens` (those that models write) are upper bounds. `prompt_tokens` (those that models of APIs read), `trained_tokens` (of
    a training elsewhere) and `usd` (both, and answers as long as they may be; as a decimal text) are no bounds: texts are taken for four
    bytes a token, and the texts named in `uncounted` are left out. `prompts_usd` is the part of `usd` that prompts cost. `models`: where
    one is paid for, each one's part of `rows`, `tokens`, `prompt_tokens`, `trained_tokens` and `usd`, by its name in the ledger.
    """

    rows: int | None = None
    tokens: int | None = None
    seconds: float | None = None
    bytes: int | None = None
    usd: str | None = None
    prompts_usd: str | None = None
    prompt_tokens: int | None = None
    trained_tokens: int | None = None
    uncounted: str | None = None
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """`config` holds the plugin's fields and the section's own keys, defaults written out. `inputs` maps a port to what enters it.

    `line` is where the step stands in the spec; like `estimate` it is no part of the key.
    """

    id: str
    kind: str
    uses: str | None
    config: Mapping[str, Any]
    inputs: Mapping[str, Input]
    key: str
    estimate: Estimate = field(default_factory=Estimate)
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`folder` (of the spec; relative paths start there) is not written: a saved plan lies beside its spec or names it on the command line.

    `origins` maps a stage to the name of the step it was lowered from; `spec_text` is the source, for the bundle. Stages with equal keys
    are one stage: `aliases` maps the id of one that was left out to the id of the one that does its work. `runtime` is the executor and
    its fields: where a plan runs is no part of any key; nor is `budget`, what a run of it may spend: `usd` as a decimal text, `calls`,
    `tokens`, and `wall` in seconds.
    """

    name: str
    spec: str
    spec_text: str
    stages: tuple[Stage, ...]
    origins: Mapping[str, str]
    lock: Mapping[str, Any]
    profile: str | None = None
    overrides: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    runtime: Mapping[str, Any] = field(default_factory=lambda: {"uses": "local"})
    budget: Mapping[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Stage]:
        return iter(self.stages)

    def named(self, name: str) -> set[str]:
        """The ids that a name stands for: a stage, or a step with all its stages.

        Without a cell it is meant in every one; with a cell, in all those that have its values.
        """
        asked, cell = without_cell(name), _cell(name)
        if not cell.items() <= {value for origin in self.origins.values() for value in _cell(origin).items()}:
            return set()
        fitting = (
            id
            for id, origin in self.origins.items()
            if asked in (without_cell(id), without_cell(origin)) and all(cell.get(axis, its) == its for axis, its in _cell(id).items())
        )
        return {self.aliases.get(id, id) for id in fitting}

    def stage(self, id: str) -> Stage:
        """Raises KeyError for an id that the plan does not have."""
        for stage in self.stages:
            if stage.id == id:
                return stage
        raise KeyError(id)


def without_cell(name: str) -> str:
    """`student/capture` for `student[layers=8]/capture`: the name in a spec without a matrix."""
    step, _, rest = name.partition("[")
    return step + rest.partition("]")[2]


def _cell(name: str) -> dict[str, str]:
    """The values in a name, by the labels of their axes."""
    inside = name.partition("[")[2].partition("]")[0]
    pairs = [part.partition("=") for part in inside.split(",")] if inside else []
    return {label: value for label, _, value in pairs}


def to_json(plan: Plan, more: Callable[[Stage], Mapping[str, Any]] | None = None) -> str:
    """Canonical: two equal plans give the same text. A stage is one line, with what `more` says of it."""
    parts = {
        "aliases": plan.aliases,
        "budget": plan.budget,
        "distillc_plan": PLAN_VERSION,
        "lock": plan.lock,
        "name": plan.name,
        "origins": plan.origins,
        "overrides": plan.overrides,
        "profile": plan.profile,
        "runtime": plan.runtime,
        "spec": plan.spec,
        "spec_text": plan.spec_text,
        "stages": (_as_dict(stage, more) for stage in plan.stages),  # one by one: never all of them at once
    }
    return "{\n" + ",\n".join(f" {_encode(name)}: {_lines(value)}" for name, value in parts.items()) + "\n}\n"


_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


def _lines(value: Any) -> str:
    """A list or a map with an item on each line."""
    if not value or isinstance(value, str | int):
        return _encode(value)
    if isinstance(value, Mapping):
        return "{\n" + ",\n".join(f"  {_encode(key)}: {_encode(value[key])}" for key in sorted(value)) + "\n }"
    items = ",\n".join([f"  {_encode(item)}" for item in value])
    return f"[\n{items}\n ]" if items else "[]"


def _as_dict(stage: Stage, more: Callable[[Stage], Mapping[str, Any]] | None) -> dict[str, Any]:
    found = {
        "config": stage.config,
        "estimate": _estimate_as_dict(stage.estimate),
        "id": stage.id,
        "inputs": {port: {"split": entry.split, "stage": entry.stage} for port, entry in stage.inputs.items()},
        "key": stage.key,
        "kind": stage.kind,
        "line": stage.line,
        "uses": stage.uses,
    }
    return {**found, **more(stage)} if more else found


def _estimate_as_dict(estimate: Estimate) -> dict[str, Any]:
    """What hangs on money is written only where there is any: most stages of a large plan cost none."""
    found: dict[str, Any] = {
        "bytes": estimate.bytes,
        "rows": estimate.rows,
        "seconds": estimate.seconds,
        "tokens": estimate.tokens,
        "usd": estimate.usd,
    }
    if estimate.models:
        more = {name: getattr(estimate, name) for name in ("prompts_usd", "prompt_tokens", "trained_tokens", "uncounted")}
        found |= {"models": estimate.models, **{name: value for name, value in more.items() if value is not None}}
    return found


def from_json(text: str) -> Plan:
    """Raises ValueError on text that is no plan of this version."""
    data = json.loads(text)
    if not isinstance(data, dict) or data.pop("distillc_plan", None) != PLAN_VERSION:
        raise ValueError(f"not a plan of version {PLAN_VERSION}")
    stages = tuple(
        Stage(
            id=s["id"],
            kind=s["kind"],
            uses=s["uses"],
            config=s["config"],
            inputs={port: Input(**ref) for port, ref in s["inputs"].items()},
            key=s["key"],
            estimate=Estimate(**s["estimate"]),
            line=s["line"],
        )
        for s in data.pop("stages")
    )
    return Plan(stages=stages, **{**data, "overrides": tuple(data["overrides"])})
