"""Why a stage runs: the difference from what the store has, followed back to where it began.

A stage whose key is sealed runs no more. Any other is compared with the nearest older record of its kind: the one under its own id if
there is one, else the one that differs least. What can differ is a field of the config, the version of a plugin or a library, or an
input; an input that differs is followed, so that the answer is the field that somebody changed and not a chain of consequences.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from distillc.compiler.plan import Plan, Stage

MISSING = "(not there)"
CANDIDATES = 100
"""So many older records are compared with a stage: enough to find the nearest of the last runs, few enough for a store of years."""


class Record(Protocol):
    """A sealed artifact, as the store's manifests describe it. `inputs` maps a port to the key that entered."""

    @property
    def key(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def uses(self) -> str | None: ...
    @property
    def config(self) -> Mapping[str, Any]: ...
    @property
    def inputs(self) -> Mapping[str, str]: ...


Relevant = Callable[[str, str | None, Mapping[str, Any]], Mapping[str, Any]]
"""(kind, uses, config) -> the fields that enter the key: `keys.result_config` with the marks of the installed plugins."""


def everything(kind: str, uses: str | None, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """For plans without plugins at hand: every field counts."""
    return config


class Cause(StrEnum):
    NEW = "new"
    """Nothing like it was ever sealed."""
    FIELD = "field"
    VERSION = "version"
    INPUT = "input"
    LOST = "lost"
    """An input of the older record is not in the store any more, so there is nothing to compare with."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `field` is the path in the config or the port; `stage` is where it was found."""

    stage: str
    cause: Cause
    field: str = ""
    old: Any = None
    new: Any = None

    def __str__(self) -> str:
        match self.cause:
            case Cause.NEW:
                return f"{self.stage} is new"
            case Cause.LOST:
                return f"{self.field} of {self.stage} was made from what is not in the store any more"
            case Cause.INPUT:
                return f"{self.field} of {self.stage} is {self.new}, it was {self.old}"
            case Cause.VERSION:
                return f"{self.field} moved: {shown(self.old)} -> {shown(self.new)}"
        old, new = apart(self.old, self.new)
        return f"{self.stage}: {self.field} {shown(old)} -> {shown(new)}"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one stage runs. `own` are its own differences, `through` the ports whose input runs too, `roots` where it all began."""

    stage: str
    own: tuple[Change, ...]
    through: Mapping[str, str]
    roots: tuple[Change, ...]


def reasons(plan: Plan, records: Iterable[Record], relevant: Relevant = everything) -> list[Reason]:
    """A reason for each stage that is not sealed, in the order of the plan; none for a plan that is done."""
    return list(_Comparison(plan, list(records), relevant).reasons())


class _Comparison:
    def __init__(self, plan: Plan, records: Sequence[Record], relevant: Relevant) -> None:
        self.plan = plan
        self.relevant = relevant
        self.by_key = {record.key: record for record in records}
        self.by_kind: dict[tuple[str, str | None], list[Record]] = {}
        ids = {stage.id for stage in plan.stages}
        for record in self.by_key.values():
            if record.stage not in ids:
                self.by_kind.setdefault((record.kind, record.uses), []).append(record)
        self.by_id: dict[str, list[Record]] = {}
        for record in self.by_key.values():
            self.by_id.setdefault(record.stage, []).append(record)
        self.stages = {stage.id: stage for stage in plan.stages}
        self.keys = {stage.id: stage.key for stage in plan.stages}
        self.known: dict[tuple[str, str], tuple[Change, ...]] = {}
        self.compared: dict[tuple[str, str], tuple[tuple[Change, ...], list[str]]] = {}

    def reasons(self) -> Iterator[Reason]:
        for stage in self.plan.stages:
            if stage.key in self.by_key:
                continue
            record = self.nearest(stage)
            if record is None:
                new = Change(stage.id, Cause.NEW)
                through = {port: entry.stage for port, entry in stage.inputs.items() if self.keys[entry.stage] not in self.by_key}
                yield Reason(stage.id, (new,), through, (new,))
                continue
            own, moved = self.compare(stage, record)
            yield Reason(stage.id, own, {port: stage.inputs[port].stage for port in moved}, self.causes(stage, record))

    def nearest(self, stage: Stage) -> Record | None:
        """The record under the stage's own id that differs least, else one of a stage that the plan has no more: a renamed one."""
        candidates = [record for record in self.by_id.get(stage.id, ()) if record.kind == stage.kind]
        candidates = candidates or self.by_kind.get((stage.kind, stage.uses), [])
        return min(candidates[:CANDIDATES], key=lambda record: self.distance(stage, record), default=None)

    def distance(self, stage: Stage, record: Record) -> tuple[int, int, str]:
        own, moved = self.compare(stage, record)
        return len(own), len(moved), record.key

    def compare(self, stage: Stage, record: Record) -> tuple[tuple[Change, ...], list[str]]:
        """The stage's own differences from a record, and the ports by which another artifact enters."""
        if (stage.id, record.key) not in self.compared:
            self.compared[stage.id, record.key] = self._compare(stage, record)
        return self.compared[stage.id, record.key]

    def _compare(self, stage: Stage, record: Record) -> tuple[tuple[Change, ...], list[str]]:
        changes: list[Change] = []
        if stage.uses != record.uses:
            changes.append(Change(stage.id, Cause.FIELD, "uses", record.uses, stage.uses))
        old = self.relevant(record.kind, record.uses, record.config)
        new = self.relevant(stage.kind, stage.uses, stage.config)
        for field, before, after in differences(old, new):
            if field.startswith("versions."):
                changes.append(Change(stage.id, Cause.VERSION, field.removeprefix("versions."), before, after))
            else:
                changes.append(Change(stage.id, Cause.FIELD, field, before, after))
        moved: list[str] = []
        for port in dict.fromkeys((*stage.inputs, *record.inputs)):
            entry = stage.inputs.get(port)
            if entry is None or port not in record.inputs:
                changes.append(
                    Change(stage.id, Cause.INPUT, port, "there" if port in record.inputs else MISSING, entry.stage if entry else MISSING)
                )
            elif self.keys[entry.stage] != record.inputs[port]:
                moved.append(port)
        if not changes and not moved:
            changes.append(Change(stage.id, Cause.FIELD, "split of an input", "another", "this one"))
        return tuple(changes), moved

    def causes(self, stage: Stage, record: Record) -> tuple[Change, ...]:
        """The changes that nothing else explains, each once: the stage's own, then those behind its inputs; no recursion."""
        waiting = [(stage, record)]
        while waiting:
            now, against = waiting[-1]
            behind = self.behind(now, against)
            open_ones = [pair for _, pair in behind if pair is not None and (pair[0].id, pair[1].key) not in self.known]
            if open_ones:
                waiting += open_ones
                continue
            waiting.pop()
            own, _ = self.compare(now, against)
            found = list(own)
            for change, pair in behind:
                found += self.known[pair[0].id, pair[1].key] if pair is not None else [change]
            unique: list[Change] = []
            for change in found:
                if change not in unique:
                    unique.append(change)
            self.known[now.id, against.key] = tuple(unique)
        return self.known[stage.id, record.key]

    def behind(self, stage: Stage, record: Record) -> list[tuple[Change, tuple[Stage, Record] | None]]:
        """For each port by which another artifact enters: the stage and the older record to follow, or None and what there is to say."""
        found: list[tuple[Change, tuple[Stage, Record] | None]] = []
        for port in self.compare(stage, record)[1]:
            source = self.stages[stage.inputs[port].stage]
            before = self.by_key.get(record.inputs[port])
            if before is None:
                found.append((Change(stage.id, Cause.LOST, port), None))
            elif before.stage != source.id and before.stage in self.stages:
                found.append((Change(stage.id, Cause.INPUT, port, before.stage, source.id), None))
            else:
                found.append((Change(stage.id, Cause.INPUT, port, before.stage, source.id), (source, before)))
        return found


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, old, new) of each field that differs; lists of equal length are compared item by item."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}, key=str):
            yield from differences(old.get(key, MISSING), new.get(key, MISSING), f"{path}.{key}" if path else str(key))
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from differences(before, after, f"{path}[{index}]")
    elif old != new:
        yield path, old, new


def apart(old: Any, new: Any, around: int = 20) -> tuple[Any, Any]:
    """Two long texts from a little before the first character that differs; all else as it is."""
    if not (isinstance(old, str) and isinstance(new, str) and min(len(old), len(new)) > 2 * around):
        return old, new
    start = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))) - around
    return (f"…{old[start:]}", f"…{new[start:]}") if start > 0 else (old, new)


def shown(value: Any, limit: int = 60) -> str:
    """A value in a message: on one line, cut short."""
    text = value if isinstance(value, str) else "none" if value is None else str(value)
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
