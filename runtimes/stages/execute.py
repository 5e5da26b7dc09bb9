"""What a worker does with a request: open the inputs, call the stage, seal what it made.

A request is plain JSON: `{"work": StageWork, "shards": [Shard, …], "allowance": {…}}`; shards are there for a map itself only, and what may
be spent for a map and a job. What is reported is plain JSON too: `{"shard": number}` when one is sealed. All else goes to the event log.
"""

import importlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from distillc.compiler.plan import Input, Stage
from distillc.runtimes.cutoff import content_key
from distillc.runtimes.events import EventLog
from distillc.runtimes.stages.context import Artifact, Plugins, Purse, StageContext
from distillc.runtimes.stages.failures import as_distill_error
from distillc.runtimes.store import Sealed, Store, open_store
from distillc.runtimes.store.sealed import SHARD, canonical, sha256
from distillc.runtimes.work import Contract, Shard, allowance_from, refuse_late
from distillc.spec.errors import StageFailed

Report = Callable[[Mapping[str, Any]], None]


def execute(request: Mapping[str, Any], report: Report, *, plugins: Any = None, store: Store | None = None) -> None:
    """Does the work and seals it. Raises a DistillError, whatever went wrong; its cause is the first error.

    `plugins` (a registry) and `store` are opened from the request when they are not given.
    """
    work = request["work"]
    stage = stage_from(work["stage"])
    log = EventLog(Path(work["where"]["events"]))
    try:
        if plugins is None:
            from distillc.plugins.registry import load

            plugins = load()
        store = store or open_store(work["where"]["store"])
        _Execution(stage, work, store, plugins, log).do(request, report)
    except Exception as error:
        raised = as_distill_error(error, stage.id)
        if raised is error:
            raise
        raise raised from error
    finally:
        log.close()


def stage_from(data: Mapping[str, Any]) -> Stage:
    """A `Stage` from its JSON form; what does not matter to a worker is left out."""
    inputs = {port: Input(**ref) for port, ref in data["inputs"].items()}
    return Stage(data["id"], data["kind"], data["uses"], data["config"], inputs, data["key"], line=data.get("line"))


def stage_module(kind: str) -> ModuleType:
    """`runtimes/stages/KIND.py`."""
    return importlib.import_module(f"distillc.runtimes.stages.{kind.replace('-', '_')}")


def shard_key(stage_key: str, shard: Shard) -> str:
    return sha256(canonical([stage_key, shard.number, shard.digest]))


class _Execution:
    def __init__(self, stage: Stage, work: Mapping[str, Any], store: Store, plugins: Plugins, log: EventLog) -> None:
        self.stage = stage
        self.part = work["part"]
        self.contract = Contract(work["contract"])
        self.store = store
        self.plugins = plugins
        self.folder = Path(work["where"]["work"])
        self.spec_folder = Path(work["where"]["folder"])
        self.keys: Mapping[str, str] = work["inputs"]
        self.leases: Mapping[str, Mapping[str, Any]] = work["leases"]
        self.log = log

    def do(self, request: Mapping[str, Any], report: Report) -> None:
        state = self.folder / "state"
        state.mkdir(parents=True, exist_ok=True)
        inputs = {port: self._input(port, key) for port, key in self.keys.items()}
        artifacts = {port: Artifact(self.store.directory(s), s.meta, s.stage, s.digest) for port, s in inputs.items()}
        context = StageContext(
            stage=self.stage,
            folder=self.spec_folder,
            out=self.folder / "out",
            work=state,
            artifacts=artifacts,
            plugins=self.plugins,
            emit=self._emit,
            cache=_cache(),
            leases=self.leases,
            purse=Purse(allowance_from(request["allowance"])) if "allowance" in request else Purse(),
        )
        module = stage_module(self.stage.kind)
        try:
            if "shards" in request:
                for data in request["shards"]:
                    self._shard(module, context, Shard(**data))
                    report({"shard": data["number"]})
            elif self.part == "cut":
                self._cut(module, context)
            elif self.part == "collect":
                self._seal(context, inputs, lambda: module.collect(context, self._parts()))
            elif self.contract is Contract.JOB and hasattr(module, "collect"):  # a map, in one go
                for shard in self._cut(module, context):
                    self._shard(module, context, shard)
                self._seal(context, inputs, lambda: module.collect(context, self._parts()))
            else:
                self._seal(context, inputs, lambda: module.run(context))
        finally:
            context.close()

    def _cut(self, module: ModuleType, context: StageContext) -> tuple[Shard, ...]:
        shards: tuple[Shard, ...] = module.shards(context)
        (self.folder / "shards.json").write_text(json.dumps([asdict(shard) for shard in shards]), encoding="utf-8")
        return shards

    def _shard(self, module: ModuleType, context: StageContext, shard: Shard) -> None:
        key = shard_key(self.stage.key, shard)
        if self.store.sealed(key) is not None:
            return
        refuse_late(context.purse.left)
        out = _empty(self.folder / f"shard-{shard.number:05}")
        counts = module.run_shard(context, shard, out)
        meta = {"stage_key": self.stage.key, "number": shard.number, "counts": counts}
        self.store.seal(Sealed(key=key, stage=self.stage.id, kind=SHARD, meta=_plain(meta, self.stage.id)), out)
        shutil.rmtree(out, ignore_errors=True)
        self._emit("shard sealed", shard=shard.number, rows=shard.stop - shard.start)

    def _parts(self) -> list[tuple[Path, dict[str, Any]]]:
        parts = []
        for data in json.loads((self.folder / "shards.json").read_text(encoding="utf-8")):
            sealed = self.store.sealed(shard_key(self.stage.key, Shard(**data)))
            if sealed is None:
                raise StageFailed(f"shard {data['number']} is not there", where=self.stage.id, help="run again: what is done is kept")
            parts.append((self.store.directory(sealed), dict(sealed.meta["counts"])))
        return parts

    def _seal(self, context: StageContext, inputs: Mapping[str, Sealed], do: Callable[[], Mapping[str, Any]]) -> None:
        _empty(context.out)
        meta = do()
        digests = {port: sealed.digest for port, sealed in inputs.items()}
        sealed = Sealed(
            key=self.stage.key,
            stage=self.stage.id,
            kind=self.stage.kind,
            uses=self.stage.uses,
            config=self.stage.config,
            inputs=self.keys,
            digests=digests,
            meta=_plain(meta, self.stage.id),
            content_key=content_key(self.stage, digests, self.plugins),  # type: ignore[arg-type]
        )
        self.store.seal(sealed, context.out)

    def _input(self, port: str, key: str) -> Sealed:
        sealed = self.store.sealed(key)
        if sealed is None:
            raise StageFailed(f"its input {port!r} is not in the store", where=self.stage.id, help="run again: it will be made")
        return sealed

    def _emit(self, event: str, **fields: Any) -> None:
        self.log.emit(event, **{"stage": self.stage.id, **fields})


def _plain(meta: Any, stage: str) -> Any:
    """Meta as it will be read back. Raises StageFailed for what JSON can't say: NaN, infinities, objects."""
    try:
        return json.loads(canonical(meta))
    except (TypeError, ValueError) as error:
        raise StageFailed(f"the stage's result has a value that is not a number or text: {error}", where=stage) from error


def _empty(folder: Path) -> Path:
    """The folder, without what an earlier, killed try left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _cache() -> Path:
    from distillc.plugins.registry import cache_folder

    return cache_folder()
