"""What a running stage sees of the world: its config, its inputs as folders, rows and models, and where to write.

A stage gets nothing else. It does not know the store, the driver or the executor, so a test can make a context by hand:

    StageContext(stage=stage, folder=tmp, out=tmp / "out", work=tmp / "work", plugins=registry,
                 artifacts={"rows": Artifact(directory, meta)})
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from distillc.compiler.plan import Stage
from distillc.plugins.api.artifacts import SPLITS, Decoding, Model, ModelInfo, Row, Task
from distillc.plugins.api.engines import Telling
from distillc.plugins.api.manifest import Kind, Manifest
from distillc.runtimes.contracts import is_leased, is_remote
from distillc.runtimes.work import Allowance
from distillc.spec.errors import StageFailed


class Plugins(Protocol):
    """The part of the registry that a stage uses."""

    def manifest(self, kind: str, name: str) -> Manifest: ...
    def config_class(self, kind: str, name: str) -> Any: ...
    def implementation(self, kind: str, name: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Artifact:
    """A sealed input: a read-only folder with its files, what its stage said of it, and which stage that was."""

    directory: Path
    meta: Mapping[str, Any] = field(default_factory=dict)
    stage: str = ""
    digest: str = ""


@dataclass(slots=True)
class Purse:
    """What a map may still spend, for its shards one after the other."""

    left: Allowance = field(default_factory=Allowance)


def silent(event: str, **fields: Any) -> None:
    """An event sink that keeps nothing: for contexts made by hand."""


@dataclass(frozen=True, slots=True)
class StageContext:
    """`out` takes the artifact's files, `work` survives a kill and goes when the stage seals, `folder` is the spec's."""

    stage: Stage
    folder: Path
    out: Path
    work: Path
    artifacts: Mapping[str, Artifact]
    plugins: Plugins
    emit: Callable[..., None] = silent
    """`emit(event, **fields)` writes to the one event log; fields are plain JSON."""
    cache: Path | None = None
    """Shared by all specs of this user, for conversions."""
    purse: Purse = field(default_factory=Purse)
    leases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The servers that engines of this stage ask, by the port of the model: `base_url` and `name`."""
    opened: dict[str, Any] = field(default_factory=dict)
    """What `once` made: a model in memory outlives the shard that asked for it first."""

    @property
    def config(self) -> Mapping[str, Any]:
        return self.stage.config

    @property
    def seed(self) -> int:
        return int(self.config.get("seed", 0))

    @property
    def task(self) -> Task:
        task = self.config["task"]
        return Task(kind=task["kind"], input=task["input"], target=task["target"], prompt=task["prompt"])

    @property
    def decoding(self) -> Decoding:
        found = dict(self.config.get("decoding") or {})
        return Decoding(
            max_tokens=int(found.get("max_tokens", 64)),
            temperature=float(found.get("temperature", 0.0)),
            stop=tuple(found.get("stop") or ()),
        )

    def ports(self, prefix: str = "") -> list[str]:
        """The ports that begin with `prefix` (`answers.`, `model.`), in the order of the plan."""
        return [port for port in self.stage.inputs if port.startswith(prefix)]

    def artifact(self, port: str) -> Artifact:
        """Raises StageFailed for a port that the plan did not wire."""
        try:
            return self.artifacts[port]
        except KeyError:
            raise StageFailed(
                f"input {port!r} is not wired; there are: {', '.join(self.artifacts) or 'none'}",
                where=self.stage.id,
                help="make the plan again: this one was written by another version",
            ) from None

    def meta(self, port: str) -> dict[str, Any]:
        return dict(self.artifact(port).meta)

    def directory(self, port: str) -> Path:
        """A read-only folder with the artifact's files."""
        return self.artifact(port).directory

    def rows(self, port: str) -> list[Row]:
        """The rows that enter by a port: train, validation, test in this order, or the one split that the plan names."""
        from distillc.runtimes.store.rows import read_rows

        wanted = self.stage.inputs[port].split
        directory = self.directory(port)
        return [
            row
            for split in SPLITS
            if wanted in (None, split)
            for path in sorted(directory.glob(f"{split}-*.parquet"))
            for row in read_rows(path)
        ]

    def model(self, port: str) -> Model:
        artifact = self.artifact(port)
        return Model(artifact.directory, model_info(artifact.meta["info"]))

    def plugin(self, kind: str, config: Mapping[str, Any] | None = None) -> Any:
        """An instance of a plugin: of the stage's own `uses`, or of `config["uses"]`.

        The plugin's fields are picked from the flat mapping by the names that its config class has; the section's own keys
        beside them are passed over. Raises StageFailed when the values do not fit (a hand-edited plan).
        """
        flat: Mapping[str, Any] = self.config if config is None else config
        name = self.stage.uses if config is None else config["uses"]
        if name is None:
            raise StageFailed(f"stage kind {self.stage.kind!r} has no plugin of its own", where=self.stage.id)
        return self.plugins.implementation(kind, name)(self.plugin_config(kind, name, flat))

    def plugin_config(self, kind: str, name: str, flat: Mapping[str, Any]) -> Any:
        """The validated config of a plugin, from a mapping that may hold more."""
        config_class = self.plugins.config_class(kind, name)
        known = set(config_class.model_fields)
        try:
            return config_class.model_validate({key: value for key, value in flat.items() if key in known})
        except ValueError as error:
            raise StageFailed(
                f"the config of {kind} {name!r} does not hold: {error}", where=self.stage.id, help="make the plan again from its spec"
            ) from error

    def open(self, engine: Mapping[str, Any], port: str) -> Any:
        """A model in memory, or whoever has it, by an engine's config: what `plugins/api/engines.py` calls `Running`."""
        made: Any = self.plugin(Kind.ENGINES, engine)
        model, telling = self.model(port), made
        if isinstance(telling, Telling):
            telling.tell_by(partial(self.emit, model=model.info.name))
        if is_remote(engine, self.plugins):
            return made.open(model, seed=self.seed, folder=self.folder)
        if not is_leased(engine, self.plugins):
            return made.open(model, seed=self.seed)
        if port not in self.leases:
            help = "name an engine without one for it: servers answer prompts, measure no speed and score no tokens"
            raise StageFailed(
                f"'{engine['uses']}' has no server here: stage kind '{self.stage.kind}' asks none", where=self.stage.id, help=help
            )
        lease = self.leases[port]
        return made.open(model, seed=self.seed, base_url=lease["base_url"], name=lease["name"])

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` gave the first time that this process asked for `name`; `close` ends it with the stage."""
        if name not in self.opened:
            self.opened[name] = make()
        return self.opened[name]

    def close(self) -> None:
        with ExitStack() as last_first:  # one that cannot be closed leaves no other open
            for thing in self.opened.values():
                if hasattr(thing, "close"):
                    last_first.callback(thing.close)
            self.opened.clear()

    def manifest(self, kind: str, name: str) -> Manifest:
        return self.plugins.manifest(kind, name)


def model_info(data: Mapping[str, Any]) -> ModelInfo:
    """`ModelInfo` from its JSON form (`distill.json`, or `meta["info"]` of a model's artifact)."""
    known = {f.name for f in fields(ModelInfo)}
    picked = {key: value for key, value in data.items() if key in known}
    return ModelInfo(**{**picked, "lineage": tuple(picked.get("lineage") or ())})
