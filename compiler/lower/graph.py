"""What has been lowered so far: stages in order, and what is known of every rows step and model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from distillc.compiler.document import Document, Where
from distillc.compiler.facts.model import ModelFacts
from distillc.compiler.keys import library_versions, stage_versions
from distillc.compiler.marks import Marked, marked_fields
from distillc.compiler.plan import Input
from distillc.plugins.api.artifacts import SPLITS
from distillc.plugins.api.manifest import Manifest
from distillc.spec.diagnostic import Diagnostic, Severity
from distillc.spec.errors import DistillError
from distillc.spec.model import Decoding, EngineStep, Spec, Uses


class Plugins(Protocol):
    """The part of the registry that the compiler uses (`plugins/registry.py`)."""

    def names(self, kind: str) -> Any: ...
    def manifest(self, kind: str, name: str) -> Manifest: ...
    def config_class(self, kind: str, name: str) -> Any: ...
    def config_schema(self, kind: str, name: str) -> Mapping[str, Any]: ...
    def missing(self, manifest: Manifest) -> tuple[str, ...]: ...
    def remedy(self, manifest: Manifest) -> str: ...
    def entry(self, kind: str, name: str) -> Any: ...


@dataclass(slots=True)
class Draft:
    """A stage that has no key yet."""

    id: str
    kind: str
    uses: str | None
    config: dict[str, Any]
    inputs: dict[str, Input]
    origin: str
    where: Where


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsStep:
    """A step that yields rows. `splits` are those that may hold any; `teachers` answered them; `sources` are the data steps behind them."""

    name: str
    stage: str
    splits: tuple[str, ...]
    sources: tuple[str, ...]
    teachers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStep:
    """A model: of `models:`, of a train step or an export. `parent` is the model whose weights it was made from.

    `teachers` taught it (by a soft loss or through their answers), `soft` is those of its own soft losses. `families` has its own
    family first, then those of its ancestors. `data` is what it was trained on, as references.
    """

    name: str
    stage: str
    section: str
    uses: str
    format: str | None
    where: Where
    parent: str | None = None
    family: str | None = None
    license: str | None = None
    families: tuple[str, ...] = ()
    facts: ModelFacts = field(default_factory=ModelFacts)
    engine: EngineStep | None = None
    teachers: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()
    data: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_weights(self) -> bool:
        return not (self.format or "").startswith("rules/")


@dataclass(frozen=True, slots=True)
class Fields:
    """A plugin's validated config: `config` with every default written out (and `revisions`, where it reads leaves)."""

    kind: str
    uses: str
    config: dict[str, Any]
    modules: tuple[str, ...]
    cache_version: int

    def flat(self) -> dict[str, Any]:
        """The form of a nested plugin: its fields beside `uses`."""
        return {"uses": self.uses, **self.config}


class Graph:
    """Filled by the section files; read by the rules and by `compile.py`."""

    def __init__(self, document: Document, plugins: Plugins, folder: Path) -> None:
        self.document = document
        self.plugins = plugins
        self.folder = folder
        self.drafts: dict[str, Draft] = {}
        self.rows: dict[str, RowsStep] = {}
        self.models: dict[str, ModelStep] = {}
        self.judges: dict[str, tuple[str, ...]] = {}
        self.leaves: dict[str, dict[str, str]] = {}
        self.used: dict[tuple[str, str], Where] = {}
        self.findings: list[Diagnostic] = []
        self._marks: dict[tuple[str, str], tuple[Marked, ...]] = {}

    # -- findings ---------------------------------------------------------------------------------------------------------

    def error(self, code: str, where: Where, message: str, help: str | None = None, notes: tuple[str, ...] = ()) -> None:
        self.findings.append(Diagnostic(code, Severity.ERROR, message, self.document.span(where), help, notes))

    # -- stages -----------------------------------------------------------------------------------------------------------

    def add(self, draft: Draft, plugins: Iterable[Fields] = (), modules: Iterable[str] = ()) -> str:
        """Adds a stage; `plugins` are those that work in it and `modules` the libraries beside theirs: their versions enter the config."""
        plugins = tuple(plugins)
        versions: dict[str, Any] = {f"{p.kind}.{p.uses}": p.cache_version for p in plugins}
        versions |= stage_versions(draft.kind)
        versions |= library_versions([*modules, *(module for p in plugins for module in p.modules)])
        draft.config["versions"] = dict(sorted(versions.items()))
        self.drafts[draft.id] = draft
        return draft.id

    @property
    def spec(self) -> Spec:
        return self.document.spec

    @property
    def task(self) -> dict[str, Any]:
        task: dict[str, Any] = self.spec.task.model_dump(mode="json")
        return {"input": "", "target": "", "prompt": "", **{key: "" if value is None else value for key, value in task.items()}}

    def decoding(self, *overrides: Decoding | None) -> dict[str, Any]:
        """The spec's decoding, under what a step says of it."""
        found: dict[str, Any] = self.spec.decoding.model_dump(mode="json")
        for layer in overrides:
            found |= layer.model_dump(mode="json", exclude_unset=True) if layer else {}
        return found

    # -- plugins ----------------------------------------------------------------------------------------------------------

    def marks(self, kind: str, name: str) -> tuple[Marked, ...]:
        if (kind, name) not in self._marks:
            try:
                self._marks[kind, name] = marked_fields(self.plugins.config_schema(kind, name))
            except DistillError:
                self._marks[kind, name] = ()
        return self._marks[kind, name]

    def fields(self, kind: str, step: Uses, where: Where) -> Fields:
        """Validates a plugin's config. What is wrong becomes a finding, and the raw values stay."""
        return self.fields_of(kind, step.uses, step.fields, where)

    def fields_of(self, kind: str, name: str, given: dict[str, Any], where: Where) -> Fields:
        self.used.setdefault((kind, name), where)
        try:
            manifest = self.plugins.manifest(kind, name)
            config_class = self.plugins.config_class(kind, name)
        except DistillError as error:
            self.error("D150", where, error.message, error.help)
            return Fields(kind, name, given, (), 0)
        try:
            config = config_class.model_validate(given)
        except ValidationError as error:
            self._invalid(name, error, where)
            return Fields(kind, name, given, manifest.modules, manifest.cache_version)
        plain: dict[str, Any] = config.model_dump(mode="json")
        if revisions := self._revisions(config, where):
            plain["revisions"] = revisions
        return Fields(kind, name, plain, manifest.modules, manifest.cache_version)

    def config_facts(self, kind: str, fields: Fields, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the pure function `facts(inputs)` of a config class says of its result; empty where it has none."""
        config = self._config(kind, fields)
        facts = getattr(config, "facts", None)
        found = facts(inputs) if callable(facts) else {}
        return found if isinstance(found, Mapping) else {}

    def _config(self, kind: str, fields: Fields) -> Any:
        try:
            given = {key: value for key, value in fields.config.items() if key != "revisions"}
            return self.plugins.config_class(kind, fields.uses).model_validate(given)
        except (DistillError, ValueError):
            return None

    def _invalid(self, name: str, error: ValidationError, where: Where) -> None:
        for item in error.errors():
            place = tuple(part for part in item["loc"] if isinstance(part, str | int))
            message = f"{'.'.join(map(str, place)) or name}: {item['msg']}"
            self.error("D150", (*where, *place), message, f"see `distillc plugins` for the fields of {name}")

    def _revisions(self, config: Any, where: Where) -> dict[str, str]:
        """The leaves that a config reads. Absolute paths never get into a plan: such a leaf is called by its file's name."""
        revisions: Any = getattr(config, "revisions", None)
        if not callable(revisions):
            return {}
        try:
            found: Any = revisions(self.folder)
        except DistillError as error:
            self.error("D153", where, error.message, error.help)
            return {}
        except OSError as error:
            self.error("D153", where, f"{error.filename or 'a file'} cannot be read: {error.strerror}", "check the path and its rights")
            return {}
        leaves = {Path(name).name if Path(name).is_absolute() else name: str(value) for name, value in sorted(found.items())}
        if leaves:
            self.leaves.setdefault(".".join(map(str, where[:2])), {}).update(leaves)
        return leaves

    # -- references -------------------------------------------------------------------------------------------------------

    def rows_input(self, reference: str, bare: str | None = None) -> tuple[RowsStep | None, Input]:
        """The step behind `NAME` or `NAME.split`; a bare name means the split `bare` (None: all rows)."""
        name, split = split_reference(reference)
        step = self.rows.get(name)
        return step, Input(step.stage if step else name, split or bare)

    def model_input(self, name: str) -> Input:
        model = self.models.get(name)
        return Input(model.stage if model else name)

    def ancestors(self, name: str) -> list[str]:
        """A model and those whose weights it was made from, nearest first."""
        found: list[str] = []
        current: str | None = name
        while current is not None and current in self.models and current not in found:
            found.append(current)
            current = self.models[current].parent
        return found

    def behind(self, name: str) -> list[str]:
        """A model, those whose weights it was made from, and those that taught it or one of these: what they saw, it may know."""
        found: dict[str, None] = {}
        waiting = [name]
        while waiting:
            for ancestor in self.ancestors(waiting.pop(0)):
                if ancestor not in found:
                    found[ancestor] = None
                    waiting += self.models[ancestor].teachers
        return list(found)

    def engine(self, name: str) -> Fields | None:
        """The engine of a model: its own `engine:`, or the first by name that reads its format and is installed here."""
        model = self.models.get(name)
        if model is None:
            return None
        if model.engine is not None:
            return self.fields("engines", model.engine, (*model.where, "engine"))
        readers = [n for n in self.plugins.names("engines") if self.reads(n, model.format)]
        if not readers:
            return None
        installed = [n for n in readers if not self.plugins.missing(self.plugins.manifest("engines", n))]
        return self.fields_of("engines", (installed or readers)[0], {}, model.where)

    def reads(self, engine: str, format: str | None) -> bool:
        try:
            capabilities = self.plugins.manifest("engines", engine).capabilities
        except DistillError:
            return False
        return format in capabilities.get("reads", ())


def split_reference(reference: str) -> tuple[str, str | None]:
    """`pairs.test` -> (`pairs`, `test`), `pairs` -> (`pairs`, None)."""
    name, _, split = reference.partition(".")
    return name, split if split in SPLITS else None
