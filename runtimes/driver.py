"""Runs a plan: stage after stage, each once, and says how it ended. What waits for another machine lets others go on meanwhile.

A stage whose key is sealed is kept; one whose content was made before under another name is adopted; the rest is done by the
executor. Nothing is decided from the journal or the log, so a driver that was killed resumes from the store alone.
"""

import asyncio
import contextlib
import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from distillc.compiler.plan import Plan, Stage
from distillc.runtimes.budget import Budget
from distillc.runtimes.contracts import ALONE, Manifests, contract_of, leased, may_begin
from distillc.runtimes.credentials import refuse_missing
from distillc.runtimes.cutoff import Schemas, content_key
from distillc.runtimes.delivery import deliver
from distillc.runtimes.events import EventLog
from distillc.runtimes.interrupts import cancelled_by_signals
from distillc.runtimes.journal import Journal
from distillc.runtimes.leases import Leases
from distillc.runtimes.ledger import actor
from distillc.runtimes.lock import run_lock
from distillc.runtimes.open_jobs import open_in, open_jobs
from distillc.runtimes.row_counts import counts_in
from distillc.runtimes.selection import select
from distillc.runtimes.stages.failures import as_distill_error
from distillc.runtimes.store import Sealed, Store
from distillc.runtimes.verdicts import Verdict, exit_code, verdict_of
from distillc.runtimes.work import Contract, Executor, Shard, StageWork, Where, work_folder
from distillc.spec.errors import BudgetReached, DistillError, StageFailed, StoreDamaged, UsageError

DEPLOYS = frozenset({"bundle", "deploy"})
INTERRUPTED = 130

Progress = Callable[[Mapping[str, Any]], None]


class Plugins(Schemas, Manifests, Protocol):
    """What the driver asks of the registry."""


@dataclass(slots=True)
class Outcome:
    """How a run ended. `states` maps a stage to kept, adopted, sealed, skipped, failed, stopped, interrupted or waiting."""

    run: str
    folder: Path
    exit_code: int = 0
    states: dict[str, str] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    delivered: list[Path] = field(default_factory=list)
    report: Path | None = None
    error: DistillError | None = None
    messages: list[str] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        """Everything was there already."""
        return bool(self.states) and all(state in ("kept", "skipped") for state in self.states.values())


def run(
    plan: Plan,
    *,
    folder: Path,
    store: Store,
    executor: Executor,
    plugins: Plugins,
    until: str | Collection[str] | None = None,
    progress: Progress | None = None,
    debug: bool = False,
) -> Outcome:
    """Runs `plan`, whose relative paths start at `folder`, up to the step `until`, or the stages with these ids (None: all of it).

    Never raises for what happens in a stage: see `Outcome.error`. Raises UsageError for an unknown step, a contract that the
    executor does not know, a key that is not there, or another run at work in the same home.
    """
    stages = select(plan, until)
    _refuse_contracts(stages, executor, plugins)
    refuse_missing(plan, stages, folder, store, plugins)
    run_id = _run_id(store.home, plan.name)
    with run_lock(store.home, run_id):
        try:
            prepared = _Run(plan, stages, folder, store, executor, plugins, run_id, progress, debug)
        except (OSError, sqlite3.Error) as error:
            raise as_distill_error(error, str(store.home)) from error
        return asyncio.run(prepared.go())


def _refuse_contracts(stages: Sequence[Stage], executor: Executor, plugins: Plugins) -> None:
    for stage in stages:
        for contract in [contract_of(stage, plugins), *([Contract.LEASE] if leased(stage, plugins) else [])]:
            if contract not in executor.contracts:
                raise UsageError(
                    f"stage kind '{stage.kind}' needs contract '{contract}', which this executor does not run",
                    where=stage.id,
                    help=f"it runs: {', '.join(sorted(executor.contracts))}",
                )


def _run_id(home: Path, name: str) -> str:
    """The time and the name; a number behind it when that is taken."""
    base = f"{time.strftime('%Y%m%d-%H%M%S')}-{name}"
    number = 0
    while True:
        run_id = base if not number else f"{base}.{number}"
        try:
            (home / "runs" / run_id).mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return run_id


class _Run:
    def __init__(
        self,
        plan: Plan,
        stages: tuple[Stage, ...],
        folder: Path,
        store: Store,
        executor: Executor,
        plugins: Plugins,
        run_id: str,
        progress: Progress | None,
        debug: bool,
    ) -> None:
        self.plan, self.stages, self.folder, self.store, self.executor, self.plugins = plan, stages, folder, store, executor, plugins
        self.progress, self.debug = progress, debug
        self.home = store.home / "runs" / run_id
        self.outcome = Outcome(run_id, self.home, states={stage.id: "waiting" for stage in stages})
        self.log = EventLog(self.home / "events.jsonl")
        self.journal = Journal(store.home / "journal.sqlite3")
        self.sealed: dict[str, Sealed] = {}
        self.budget = Budget(plan, self.home.parent)
        self.leases = Leases(plan, store, executor, plugins, self._where(self.home / "work"), self.log)

    async def go(self) -> Outcome:
        outcome = self.outcome
        state = "failed"
        ended = asyncio.Event()
        told = asyncio.create_task(self._tell(ended))
        try:
            with cancelled_by_signals():
                self._begin()
                try:
                    async with self.leases:
                        await self._all()
                finally:
                    await self.executor.close()
            state, outcome.exit_code = "finished", exit_code(outcome.verdicts)
        except asyncio.CancelledError:
            state, outcome.exit_code = "interrupted", INTERRUPTED
            outcome.messages.append("interrupted; run again to go on from here")
        except DistillError as error:
            outcome.error, outcome.exit_code = error, error.exit_code
            state = "stopped" if isinstance(error, BudgetReached) else "failed"
        except (OSError, sqlite3.Error) as error:
            outcome.error = as_distill_error(error, "the run itself")
            outcome.exit_code = outcome.error.exit_code
        self._end(state)
        ended.set()
        await told
        return outcome

    def _begin(self) -> None:
        if self.journal.fresh:
            self.journal.rebuild(self.store.all())
        self.journal.start(self.outcome.run, self.plan.name, self.plan.spec, [(s.id, s.key, s.kind) for s in self.stages])
        costs = {stage.id: asdict(stage.estimate) for stage in self.stages if stage.estimate.tokens is not None or stage.estimate.models}
        self.log.emit(
            "run started",
            run=self.outcome.run,
            name=self.plan.name,
            stages=len(self.stages),
            actor=actor(),
            budget=self.plan.budget,
            estimates=costs,
        )

    def _end(self, state: str) -> None:
        outcome = self.outcome
        outcome.messages += self._left_out()
        message = outcome.error.message if outcome.error else None
        with contextlib.suppress(sqlite3.Error):
            self.journal.end(outcome.run, state, outcome.exit_code, message)
            self.journal.close()
        self.log.emit(f"run {state}", run=outcome.run, exit=outcome.exit_code)
        self.log.close()

    def _left_out(self) -> list[str]:
        """What of this run goes on without it on other machines, and how to end that."""
        out = open_jobs(self.store.home)
        lines = [f"{stage.id}: {job} is not collected yet" for stage in self.stages for job in out.get(stage.key, ())]
        return [*lines, "what is out goes on there until another run collects it, or `distillc cancel` stops it"] if lines else []

    async def _tell(self, ended: asyncio.Event) -> None:
        """Passes events on as they come into the log, from workers too, up to the last."""
        if self.progress is None:
            return
        with self.log.path.open("rb") as file:
            rest, last = b"", False
            while True:
                *lines, rest = (rest + file.read()).split(b"\n")
                for line in lines:
                    with contextlib.suppress(ValueError):
                        self.progress(json.loads(line))
                if last:
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), 0.1)
                last = ended.is_set()

    # --- which stage next

    async def _all(self) -> None:
        """In the order of the plan, but for what has to wait for a job, and what asks a server that is there. A job that fails ends the run
        after the stage at work."""
        waiting = list(self.stages)
        jobs: dict[str, asyncio.Task[None]] = {}
        try:
            while waiting or jobs:
                ready = (one for one in waiting if may_begin(one, waiting, jobs, self.plugins, counted=self.budget.counted))
                stage = self.leases.first(ready)
                if stage is None:
                    await asyncio.wait(jobs.values(), return_when=asyncio.FIRST_COMPLETED)
                else:
                    waiting.remove(stage)
                    if contract_of(stage, self.plugins) is Contract.JOB:
                        jobs[stage.id] = asyncio.create_task(self._stage(stage))
                    else:
                        await self._stage(stage)
                        await self.leases.end_but_for(waiting)
                for done in [id for id, task in jobs.items() if task.done()]:
                    jobs.pop(done).result()
        finally:
            for task in jobs.values():
                task.cancel()
            await asyncio.gather(*jobs.values(), return_exceptions=True)

    # --- one stage

    async def _stage(self, stage: Stage) -> None:
        started = time.perf_counter()
        if (no := self._withheld(stage)) is not None:
            self.outcome.messages.append(no)
            self._mark(stage, "skipped", message=no)
            return
        sealed = self.store.sealed(stage.key)
        if sealed is not None:
            if not self.store.complete(sealed):
                raise StoreDamaged(
                    "files of its artifact are missing or cut short",
                    where=stage.id,
                    help="`distillc verify --forget` removes what is damaged; the next run makes it again",
                )
            self._mark(stage, "kept", **counts_in(sealed.meta))
        elif (older := self._same(stage)) is not None:
            sealed = self._adopt(stage, older)
            self._mark(stage, "adopted", of=older.key, **counts_in(sealed.meta))  # what it cost is looked for under that key
        else:
            self.budget.refuse_late()
            self._mark(stage, "running")
            try:
                await self._do(stage)
            except BaseException as error:
                self._mark(stage, _ended_by(error), time.perf_counter() - started)
                raise
            sealed = self.store.sealed(stage.key)
            if sealed is None:
                raise StageFailed("it ended without an artifact", where=stage.id, help="this is a fault of the executor; run again")
            self._mark(stage, "sealed", time.perf_counter() - started, **counts_in(sealed.meta))
        self.sealed[stage.id] = sealed
        self.journal.record(sealed)
        work = work_folder(self.store.home, stage.key)
        if self.outcome.states[stage.id] == "sealed" or not open_in(work):  # whoever sealed it elsewhere knows of no job from here
            shutil.rmtree(work, ignore_errors=True)
        self._after(stage, sealed)

    def _same(self, stage: Stage) -> Sealed | None:
        """What the same work on the same bytes has made, under another key."""
        content = content_key(stage, self._digests(stage), self.plugins)
        found = self.journal.find(content)
        older = None if found is None else self.store.sealed(found)
        return older if older is not None and older.content_key == content and self.store.complete(older) else None

    def _adopt(self, stage: Stage, older: Sealed) -> Sealed:
        keys = {port: self.sealed[ref.stage].key for port, ref in stage.inputs.items()}
        return self.store.seal(
            replace(older, key=stage.key, stage=stage.id, config=stage.config, inputs=keys, digests=self._digests(stage))
        )

    def _digests(self, stage: Stage) -> dict[str, str]:
        return {port: self.sealed[ref.stage].digest for port, ref in stage.inputs.items()}

    async def _do(self, stage: Stage) -> None:
        contract = contract_of(stage, self.plugins)
        if stage.kind in ALONE:
            await self.leases.end_but_for(())
        work = StageWork(
            contract=contract,
            stage=asdict(stage),
            where=self._where(work_folder(self.store.home, stage.key)),
            alone=stage.kind in ALONE,
            inputs={port: self.sealed[ref.stage].key for port, ref in stage.inputs.items()},
            leases=await self.leases.of(stage),
        )
        if contract is Contract.SESSION:
            await self.executor.run_session(work)
        elif contract is Contract.REDUCE:
            await self.executor.run_reduce(work)
        elif contract is Contract.JOB:
            await self.executor.run_job(work, self.budget.left())
        else:
            await self._map(work)

    def _where(self, work: Path) -> Where:
        return Where(store=self.store.url, folder=str(self.folder), work=str(work), events=str(self.log.path), debug=self.debug)

    async def _map(self, work: StageWork) -> None:
        await self.executor.run_reduce(replace(work, part="cut"))
        cut = json.loads((Path(work.where.work) / "shards.json").read_text(encoding="utf-8"))
        shards = tuple(Shard(**shard) for shard in cut)
        async for _ in self.executor.run_map(work, shards, self.budget.left()):
            pass
        await self.executor.run_reduce(replace(work, part="collect"))

    # --- around it

    def _withheld(self, stage: Stage) -> str | None:
        """Why a deploy step does not run: the gate that it needs did not pass. None if nothing holds it back."""
        if stage.kind not in DEPLOYS:
            return None
        for ref in stage.inputs.values():
            gate = self.sealed.get(ref.stage)
            if gate is not None and gate.kind == "gate":
                verdict = verdict_of(gate, self.store)
                if verdict.verdict != "pass":
                    self.outcome.verdicts.append(replace(verdict, level="error"))  # somebody waits for it, whatever its level
                    said = "said no" if verdict.verdict == "fail" else "cannot decide"
                    return f"{stage.id} is not deployed: gate '{verdict.name}' {said}"
        return None

    def _after(self, stage: Stage, sealed: Sealed) -> None:
        if stage.kind == "gate":
            self.outcome.verdicts.append(verdict_of(sealed, self.store))
        elif stage.kind == "report" and "report.json" in sealed.files:
            self.outcome.report = self.store.file(sealed, "report.json")
        elif stage.kind in DEPLOYS and stage.config.get("path"):
            self.outcome.delivered.append(deliver(self.store, sealed, self.folder, stage.config["path"]))

    def _mark(self, stage: Stage, state: str, seconds: float | None = None, message: str | None = None, **extra: Any) -> None:
        self.outcome.states[stage.id] = state
        self.journal.mark(self.outcome.run, stage.id, state, seconds)
        event = "started" if state == "running" else state
        if message:
            extra["message"] = message
        if seconds is not None:
            extra["seconds"] = round(seconds, 3)
        self.log.emit(f"stage {event}", stage=stage.id, key=stage.key, kind=stage.kind, uses=stage.uses, **extra)


def _ended_by(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError):
        return "interrupted"
    return "stopped" if isinstance(error, BudgetReached) else "failed"
