"""What has been lowered so far: stages in order, and the leaves and plugins that they use."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from distillc.compiler.document import Document, Where
from distillc.compiler.keys import library_versions, stage_versions
from distillc.compiler.outline import Outline
from distillc.compiler.outline.models import Model
from distillc.compiler.plan import Input
from distillc.compiler.plugins import Plugins
from distillc.compiler.tables.prices import listed_price
from distillc.spec.diagnostic import Diagnostic, Severity
from distillc.spec.errors import DistillError
from distillc.spec.marks import Marked
from distillc.spec.model import Decoding, Spec, Uses
from distillc.spec.references import split_name

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Step:
    """A step to lower. `body` is the typed model of `spec/model.py` that belongs to the section."""

    section: str
    name: str
    body: Any

    @property
    def where(self) -> Where:
        return (self.section, self.name)


@dataclass(slots=True)
class Draft:
    """A stage that has no key yet, and whose id is that of a spec without a matrix.

    `address.py` gives it the rest: `cell` names the cells that have it, where others have another; `name` is the stage that does its work.
    """

    id: str
    kind: str
    uses: str | None
    config: dict[str, Any]
    inputs: dict[str, Input]
    origin: str
    where: Where
    key: str = ""
    cell: str = ""
    name: str = ""
    placed: bool = False

    @property
    def called(self) -> str:
        return self.called_in(self.cell)

    def called_in(self, cell: str) -> str:
        """`student/capture` as `student[layers=8]/capture`."""
        step, slash, rest = self.id.partition("/")
        return f"{step}[{cell}]{slash}{rest}" if cell else self.id


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


@dataclass(frozen=True, slots=True)
class Known:
    """What the graphs of one compilation share, because it is the same wherever it is asked for.

    Plugins' configs by what they were given, with their leaves; versions by the plugins and libraries of a stage; the engine that runs a
    format; what is made of one object alone by its id, with the object, so that no other can get the id; and stages (`Graph.once`).
    """

    values: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    fields: dict[tuple[str, str, str], tuple[Fields, dict[str, str]]] = field(default_factory=dict)
    versions: dict[tuple[str, tuple[int, ...]], tuple[Any, dict[str, Any]]] = field(default_factory=dict)
    readers: dict[str | None, str | None] = field(default_factory=dict)
    drafts: "dict[tuple[object, ...], Draft]" = field(default_factory=dict)

    def of(self, source: Any, make: Callable[[Any], Made]) -> Made:
        """What is made of one object alone; always by the same function."""
        if id(source) not in self.values:
            self.values[id(source)] = (source, make(source))
        made: Made = self.values[id(source)][1]
        return made


def _task(task: Any) -> dict[str, Any]:
    said = {key: "" if value is None else value for key, value in task.model_dump(mode="json").items()}
    return {"input": "", "target": "", "prompt": "", **said}


class Graph:
    """Filled by the section files; read by `address.py`. What rows and models are is in the outline, which the rules read too."""

    def __init__(self, document: Document, outline: Outline, plugins: Plugins, folder: Path, known: Known) -> None:
        self.document = document
        self.outline = outline
        self.models = outline.models
        self.plugins = plugins
        self.folder = folder
        self.known = known
        self.overrides = document.overrides
        self.drafts: dict[str, Draft] = {}
        self.leaves: dict[str, dict[str, str]] = {}
        self.findings: list[Diagnostic] = []

    # -- findings ---------------------------------------------------------------------------------------------------------

    def error(self, code: str, where: Where, message: str, help: str | None = None, notes: tuple[str, ...] = ()) -> None:
        self.findings.append(Diagnostic(code, Severity.ERROR, message, self.outline.span(where), help, notes))

    # -- stages -----------------------------------------------------------------------------------------------------------

    def add(self, draft: Draft, plugins: Iterable[Fields] = ()) -> str:
        """Adds a stage; `plugins` are those that work in it: their versions enter the config."""
        plugins = tuple(plugins)
        key = (draft.kind, tuple(map(id, plugins)))
        if key not in self.known.versions:
            self.known.versions[key] = (plugins, _versions(draft.kind, plugins))
        draft.config["versions"] = self.known.versions[key][1]
        self.drafts[draft.id] = draft
        return draft.id

    def once(self, id_: str, inputs: Mapping[str, Input], of: Sequence[object], add: Callable[[], object]) -> str:
        """A stage that another cell may have too, made of the same stages and the same other things: then it is that one.

        `of`: what its config is made of, but for task, decoding, privacy and seed; texts, or what is one object in all cells.
        `add` adds it where no cell has it.
        """
        spec = self.spec
        entering = [(port, entry.split, id(self.drafts.get(entry.stage))) for port, entry in inputs.items()]
        of = (spec.task, spec.decoding, spec.privacy, *of)
        key = (id_, *entering, spec.seed, *[each if isinstance(each, str) else id(each) for each in of])
        if key in self.known.drafts:
            self.drafts[id_] = self.known.drafts[key]
            return id_
        before = len(self.findings)
        add()
        if len(self.findings) == before:  # else there is something to be said in each cell
            self.known.drafts[key] = self.drafts[id_]
        return id_

    @property
    def spec(self) -> Spec:
        return self.document.spec

    @property
    def task(self) -> dict[str, Any]:
        return self.known.of(self.spec.task, _task)

    def decoding(self, *overrides: Decoding | None) -> dict[str, Any]:
        """The spec's decoding, under what a step says of it."""
        found: dict[str, Any] = self.spec.decoding.model_dump(mode="json")
        for layer in overrides:
            found |= layer.model_dump(mode="json", exclude_unset=True) if layer else {}
        return found

    # -- plugins ----------------------------------------------------------------------------------------------------------

    def marks(self, kind: str, name: str) -> tuple[Marked, ...]:
        return self.outline.marks(kind, name)

    def fields(self, kind: str, step: Uses, where: Where) -> Fields:
        """Validates a plugin's config. What is wrong becomes a finding, and the raw values stay."""
        return self.fields_of(kind, step.uses, step.fields, where)

    def fields_of(self, kind: str, name: str, given: dict[str, Any], where: Where) -> Fields:
        self.outline.used.setdefault((kind, name), where)
        asked = (kind, name, repr(given))
        if asked not in self.known.fields:
            before = len(self.findings)
            found = self._validated(kind, name, given, where)
            if len(self.findings) > before:  # to be found again wherever it stands
                return found[0]
            self.known.fields[asked] = found
        fields, leaves = self.known.fields[asked]
        if leaves:
            self.leaves.setdefault(".".join(map(str, where[:2])), {}).update(leaves)
        return fields

    def _validated(self, kind: str, name: str, given: dict[str, Any], where: Where) -> tuple[Fields, dict[str, str]]:
        try:
            manifest = self.plugins.manifest(kind, name)
            config_class = self.plugins.config_class(kind, name)
        except DistillError as error:
            self.error("D150", where, error.message, error.help)
            return Fields(kind, name, given, (), 0), {}
        try:
            config = config_class.model_validate(given)
        except ValidationError as error:
            self._invalid(name, error, where)
            return Fields(kind, name, given, manifest.modules, manifest.cache_version), {}
        plain: dict[str, Any] = config.model_dump(mode="json")
        if revisions := self._revisions(config, (*where, *self._file_field(kind, name))):
            plain["revisions"] = revisions
        return Fields(kind, name, plain, manifest.modules, manifest.cache_version), revisions

    def _invalid(self, name: str, error: ValidationError, where: Where) -> None:
        for item in error.errors():
            place = tuple(part for part in item["loc"] if isinstance(part, str | int))
            message = f"{'.'.join(map(str, place)) or name}: {item['msg']}"
            self.error("D150", (*where, *place), message, f"see `distillc plugins` for the fields of {name}")

    def _file_field(self, kind: str, name: str) -> tuple[str, ...]:
        """The field that says what a config reads, where there is one."""
        return tuple(marked.field for marked in self.marks(kind, name) if marked.mark == "file")[:1]

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
        return {Path(name).name if Path(name).is_absolute() else name: str(value) for name, value in sorted(found.items())}

    # -- references -------------------------------------------------------------------------------------------------------

    def rows_input(self, reference: str, bare: str | None = None) -> Input:
        """The stage behind `NAME` or `NAME.split`; a bare name means the split `bare` (None: all rows)."""
        name, split = split_name(reference)
        return Input(name, split or bare)

    def engine(self, name: str) -> Fields | None:
        """The engine of a model: its own `engine:`, or the first by name that reads its format unasked and is installed here."""
        model = self.models[name]
        if model.engine is not None:
            uses = model.engine["uses"]
            given = {key: value for key, value in model.engine.items() if key != "uses"}
            return self.fields_of("engines", uses, self.handed_on("engines", uses, model, given), (*model.where, "engine"))
        if model.format not in self.known.readers:
            readers = self.outline.default_readers(model.format)
            installed = [n for n in readers if not self.plugins.missing(self.plugins.manifest("engines", n))]
            self.known.readers[model.format] = next(iter([*installed, *readers]), None)
        engine = self.known.readers[model.format]
        return self.fields_of("engines", engine, self.handed_on("engines", engine, model, {}), model.where) if engine else None

    def handed_on(self, kind: str, name: str, model: Model, given: dict[str, Any]) -> dict[str, Any]:
        """The config of a model's engine or trainer with what others say: in fields that no key has, so that no sealed model may hold them.

        What the model's entry says too (its `api_key`, its `price`, its `tokenizer`) counts where the plugin's own does not; where nobody
        says a price, the list's. What `privacy` asks for counts.
        """
        open_ = {marked.field for marked in self.marks(kind, name) if marked.mark in ("secret", "runtime", "file")}
        given = given | {key: value for key, value in model.fields.items() if key in open_ and given.get(key) is None}
        if kind == "engines" and "price" in open_ and given.get("price") is None and model.section == "models":
            given["price"] = listed_price({"uses": model.uses, **model.fields})
        if "retention" in open_ and self.spec.privacy and self.spec.privacy.retention == "none":
            given["retention"] = "none"
        return given


def _versions(kind: str, plugins: Iterable[Fields]) -> dict[str, Any]:
    found: dict[str, Any] = {f"{plugin.kind}.{plugin.uses}": plugin.cache_version for plugin in plugins}
    found |= stage_versions(kind)
    found |= library_versions(module for plugin in plugins for module in plugin.modules)
    return dict(sorted(found.items()))
