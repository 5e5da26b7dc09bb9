"""The five contracts between a plan and whatever runs it.

A driver says *what* has to be done in one of five forms; an executor says which forms it can run and does it. Nothing of how
(processes, Ray tasks, somebody's batch API) is seen above this file, and nothing of why (stages, plugins) below it: work
travels as plain data, so that any worker that can import distillc and reach the store can take it.

| contract | what it is | promise |
|---|---|---|
| map      | shards of one stage, each sealed under a key of (stage key, number, digest of input rows) | at least once is enough |
| reduce   | all inputs known, one sealed output | at least once is enough |
| session  | one process group with a monotone step and checkpoints in its work folder | resumes exactly; `alone` when it measures |
| job      | submit, poll, collect on somebody else's machine (`remote/jobs.py`)  | never submitted twice |
| lease    | a server that lives while others use it | ends with its last user |
"""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol

from distillc.spec.errors import BudgetReached

ENTRY = "distillc.runtimes.stages.execute:execute"
"""What a worker calls with a request (plain JSON: see there), imported by this name, so that executors do not depend on stages."""
LEASE_ENTRY = "distillc.runtimes.leasing:server_of"
"""What tells, of a request for a lease (plain JSON: see there), which server is to be started."""


class Contract(StrEnum):
    MAP = "map"
    REDUCE = "reduce"
    SESSION = "session"
    JOB = "job"
    LEASE = "lease"


@dataclass(frozen=True, slots=True)
class Where:
    """How a worker reaches the world of a run: all of it plain text. `work` is this stage's own folder; it survives a kill.

    `events` is the run's log; beside it, `log.txt` takes what libraries print and the tracebacks.
    """

    store: str
    folder: str
    work: str
    events: str
    debug: bool = False


@dataclass(frozen=True, slots=True)
class StageWork:
    """One stage as data (`stage` is a compiler `Stage` as a dict) and, in `inputs`, the sealed key of what enters each port.

    `leases` are the servers that it asks, by the port of the model: each a `Lease` as a dict.

    `part` is what a reduce does for a stage that is a map: `cut` writes its shards to `shards.json` in the work folder, `collect`
    makes one artifact of the sealed shards that stand there. Any other stage is done whole.
    """

    contract: Contract
    stage: dict[str, Any]
    where: Where
    alone: bool = False
    inputs: dict[str, str] = field(default_factory=dict)
    leases: dict[str, dict[str, Any]] = field(default_factory=dict)
    part: Literal["cut", "collect"] | None = None


@dataclass(frozen=True, slots=True)
class Shard:
    """A slice of a map: rows `start` to `stop` of the stage's input. `digest` is that of the input rows' ids and payloads."""

    number: int
    start: int
    stop: int
    digest: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a map may spend without asking again. None means no limit. Whoever runs several workers at once splits it among them.

    `until` is a time of the clock (seconds since 1970): no call and no batch begins after it.
    """

    calls: int | None = None
    tokens: int | None = None
    usd: Decimal | None = None
    until: float | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON takes it; `allowance_from` is the way back."""
        return {"calls": self.calls, "tokens": self.tokens, "usd": None if self.usd is None else str(self.usd), "until": self.until}


def allowance_from(plain: Mapping[str, Any]) -> Allowance:
    return Allowance(**{**plain, "usd": None if plain["usd"] is None else Decimal(plain["usd"])})


def refuse_late(allowance: Allowance) -> None:
    """Raises BudgetReached when the time is over."""
    if allowance.until is not None and time.time() >= allowance.until:
        raise BudgetReached(
            "the budget is reached: `budget.wall` is over",
            help="run again to go on from here: what is done is kept, and each run has as much time; or raise `budget.wall`",
        )


@dataclass(frozen=True, slots=True)
class LeaseRequest:
    """A server wanted: which engine on which sealed model (its key), for as long as the context is open. `options`: the engine's fields."""

    engine: str
    model: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lease:
    """A server that answers: where, and what it calls its model."""

    base_url: str
    name: str
    pid: int | None = None


class Executor(Protocol):
    """Runs work. `contracts` is what the driver may ask of it; a plan that needs more is refused before anything starts."""

    contracts: frozenset[Contract]

    def run_map(self, work: StageWork, shards: tuple[Shard, ...], allowance: Allowance) -> AsyncIterator[Shard]:
        """Yields each shard once its file is sealed; those that are sealed already cost nothing."""
        ...

    async def run_reduce(self, work: StageWork) -> None: ...

    async def run_session(self, work: StageWork) -> None: ...

    async def run_job(self, work: StageWork, allowance: Allowance) -> None:
        """The whole stage, a map too. It waits more than it works, so local stages go on beside it."""
        ...

    def lease(self, request: LeaseRequest, where: Where) -> AbstractAsyncContextManager[Lease]:
        """The server lives as long as the context is open, and no longer than whoever opened it. An error that leaves the context is
        raised as what it comes from, where that is the server's end."""
        ...

    async def close(self) -> None: ...


def work_folder(store: Path, key: str) -> Path:
    """Where a stage keeps what is not sealed yet: journals, checkpoints. Removed when it seals."""
    return store / "work" / key
