"""The servers of a run: each begins with the first stage that asks it, and ends when none that is left will.

The order of the plan gives way: a stage that asks a server which is there comes before others, so that it need not stay while something
else needs the memory.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import asdict
from types import TracebackType
from typing import Any, NamedTuple

from distillc.compiler.keys import canonical
from distillc.compiler.plan import Plan, Stage
from distillc.runtimes.contracts import Manifests, leased
from distillc.runtimes.events import EventLog
from distillc.runtimes.store import Store
from distillc.runtimes.work import Executor, Lease, LeaseRequest, Where


class Open(NamedTuple):
    context: AbstractAsyncContextManager[Lease]
    lease: Lease
    request: LeaseRequest


class Leases:
    """`where` is what a server may know of the run. As a context it ends all that are left; an error passes through them, so that one
    which comes of a server's end is told as that."""

    def __init__(self, plan: Plan, store: Store, executor: Executor, plugins: Manifests, where: Where, log: EventLog) -> None:
        self._keys = {stage.id: stage.key for stage in plan}
        self._store, self._executor, self._plugins, self._where, self._log = store, executor, plugins, where, log
        self._open: dict[str, Open] = {}

    async def __aenter__(self) -> "Leases":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool | None:
        stack = AsyncExitStack()
        for name in list(self._open):
            stack.push_async_exit(self._taken(name))
        return await stack.__aexit__(kind, error, trace)

    async def of(self, stage: Stage) -> dict[str, dict[str, Any]]:
        """The servers that a stage asks, by the port of the model, started where they are not there."""
        found = {}
        for port, (name, request) in self._requests(stage).items():
            if name not in self._open:
                context = self._executor.lease(request, self._where)
                lease = await context.__aenter__()
                self._open[name] = Open(context, lease, request)
                self._tell("lease started", self._open[name])
            found[port] = asdict(self._open[name].lease)
        return found

    def first(self, ready: Iterator[Stage]) -> Stage | None:
        """Of the stages that may begin the first that asks a server which is there, else the first."""
        first = next(ready, None)
        if first is None or not self._open:
            return first
        return next((one for one in (first, *ready) if self._open.keys() & self._names(one)), first)

    async def end_but_for(self, waiting: Iterable[Stage]) -> None:
        """Ends the servers that none of these stages will ask: what is sealed asks nobody."""
        if self._open:
            wanted = {name for stage in waiting if self._store.sealed(stage.key) is None for name in self._names(stage)}
            for name in self._open.keys() - wanted:
                await self._taken(name).__aexit__(None, None, None)

    def _names(self, stage: Stage) -> set[str]:
        return {name for name, _ in self._requests(stage).values()}

    def _requests(self, stage: Stage) -> Mapping[str, tuple[str, LeaseRequest]]:
        """By port; with what they are known by, which is the same for the same engine on the same model."""
        found = {}
        for port, engine in leased(stage, self._plugins).items():
            options = {name: value for name, value in engine.items() if name != "uses"}
            request = LeaseRequest(engine["uses"], self._keys[stage.inputs[port].stage], options)
            found[port] = canonical(asdict(request)), request
        return found

    def _taken(self, name: str) -> AbstractAsyncContextManager[Lease]:
        ended = self._open.pop(name)
        self._tell("lease ended", ended)
        return ended.context

    def _tell(self, event: str, one: Open) -> None:
        self._log.emit(event, engine=one.request.engine, model=one.request.model, pid=one.lease.pid)
