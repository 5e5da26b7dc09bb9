"""Under which contract a stage runs, and whether it may begin: functions of the stage and of what manifests say."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

from distillc.compiler.plan import Stage
from distillc.plugins.api.manifest import Manifest
from distillc.runtimes.work import Contract

CONTRACTS: Mapping[str, Contract] = {
    **dict.fromkeys(("generate", "capture"), Contract.MAP),
    **dict.fromkeys(("ingest", "split", "curate", "overlap", "evaluate", "judge", "gate", "report", "bundle"), Contract.REDUCE),
    **dict.fromkeys(("build-model", "train", "quantize", "parity", "measure"), Contract.SESSION),
}
ALONE = frozenset({"measure"})
BESIDE = frozenset({"rows", "parity"})  # ports beside that of a model
MOST_JOBS = 16  # each has a process that waits


class Manifests(Protocol):
    """The part of the registry that is asked."""

    def manifest(self, kind: str, name: str) -> Manifest: ...


def contract_of(stage: Stage, plugins: Manifests) -> Contract:
    """A stage that only waits for somebody else's machine is a job: what is asked or trained in it is remote, all of it."""
    return Contract.JOB if _is_job(stage, plugins) else CONTRACTS.get(stage.kind, Contract.JOB)


def spends(stage: Stage, plugins: Manifests) -> bool:
    """Whether somebody may send a bill for it."""
    if stage.kind == "train":
        return _is_job(stage, plugins)
    return any(is_remote(engine, plugins) for _, engine in by_port(stage))


def is_remote(engine: Mapping[str, Any], plugins: Manifests) -> bool:
    """Whether what an engine (its config) runs is on somebody else's machine: there it may cost."""
    return bool(plugins.manifest("engines", engine["uses"]).capabilities.get("remote"))


def is_leased(engine: Mapping[str, Any], plugins: Manifests) -> bool:
    """Whether an engine asks a server of its own on this machine, which lives while stages ask it: a lease."""
    return bool(plugins.manifest("engines", engine["uses"]).capabilities.get("lease"))


def answers_each(engine: Mapping[str, Any], plugins: Manifests) -> bool:
    """Whether what an engine answers to one prompt does not hang on what else it is asked: a server does the batches, wherever it is."""
    return is_remote(engine, plugins) or is_leased(engine, plugins)


def waits(engine: Mapping[str, Any], plugins: Manifests) -> bool:
    """Whether what an engine answers comes as a job, in hours."""
    job = plugins.manifest("engines", engine["uses"]).capabilities.get("job", {})
    return any(engine.get(name) == value for name, value in job.items())


def leased(stage: Stage, plugins: Manifests) -> dict[str, Mapping[str, Any]]:
    """The engines of a stage that ask a server of their own, by the port of the model."""
    return {port: engine for port, engine in by_port(stage) if port in stage.inputs and is_leased(engine, plugins)}


def may_begin(stage: Stage, waiting: Sequence[Stage], jobs: Collection[str], plugins: Manifests, *, counted: bool) -> bool:
    """Whether a stage may begin while these jobs are at work and these stages, itself among them, have not begun.

    `counted`: there is a budget. Then nothing that spends begins beside a job, for what that will have cost stands in no log yet.
    """
    unfinished = {*jobs, *(one.id for one in waiting)}
    if any(ref.stage in unfinished for ref in stage.inputs.values()):
        return False
    if stage.kind in ("train", "capture") and any(one.kind == "overlap" for one in waiting[: waiting.index(stage)]):
        return False  # no training reads the overlap stages before it (docs/adr/0002), and none runs without them
    if jobs and (stage.kind in ALONE or (counted and spends(stage, plugins))):
        return False
    return len(jobs) < MOST_JOBS or contract_of(stage, plugins) is not Contract.JOB


def _is_job(stage: Stage, plugins: Manifests) -> bool:
    if stage.kind == "train":
        return bool(stage.uses and plugins.manifest("trainers", stage.uses).capabilities.get("remote"))
    if stage.kind != "generate":
        return False
    engines = [engine for _, engine in by_port(stage)]
    return all(is_remote(engine, plugins) for engine in engines) and any(waits(engine, plugins) for engine in engines)


def by_port(stage: Stage) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The engines of a stage with the ports of their models: `engine` for the only one, whose port is that of no rows and no check,
    `engines` by port for several."""
    config = stage.config
    alone = "export" if stage.kind == "parity" else next((port for port in stage.inputs if port not in BESIDE and "." not in port), "")
    several = (config.get("engines") or {}).items()
    found = [(alone, config.get("engine")), *((f"model.{port}" if stage.kind == "bundle" else port, engine) for port, engine in several)]
    for port, engine in found:
        if engine:
            yield port, {"uses": engine} if isinstance(engine, str) else engine
