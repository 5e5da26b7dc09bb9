"""A table of plugins made of plain data: what the language sees, without any plugin behind it."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import pytest
from pydantic import Field

from distillc.plugins.api.manifest import Kind, Manifest
from distillc.plugins.registry import Entry, Registry, load
from distillc.spec.fields import Config, FilePath, ModelRef, RowsRef, SecretRef
from distillc.spec.schema import compose


class Empty(Config):
    pass


class Docstrings(Config):
    packages: tuple[str, ...] = Field(min_length=1, description="packages to read")


class Jsonl(Config):
    path: FilePath


class Corrupt(Config):
    errors: Literal["common", "held_out"] = "common"
    gold: Literal["keep", "drop"] = "keep"


class Answer(Config):
    model: ModelRef


class Length(Config):
    max_tokens: int = Field(64, ge=1)


class Decontaminate(Config):
    against: list[RowsRef] = Field(min_length=1)


class Transformers(Config):
    path: FilePath


class Api(Config):
    name: str
    api_key: SecretRef


class ModelJudge(Config):
    model: ModelRef


class Random(Config):
    layers: int = Field(2, ge=1, le=64)
    width: int = Field(64, ge=32, multiple_of=32)


class Prune(Config):
    layers: int = Field(ge=1)


class Temperature(Config):
    temperature: float = Field(1.0, gt=0)


class Gguf(Config):
    type: Literal["q8_0", "q4_k_m", "q4_0"] = "q8_0"


class Onnx(Config):
    precision: Literal["int4", "fp32"] = "int4"


class Bundle(Config):
    path: str = "dist/"


PLUGINS: Mapping[str, Mapping[str, type[Config]]] = {
    "sources": {"docstrings": Docstrings, "jsonl": Jsonl},
    "generators": {"corrupt": Corrupt, "answer": Answer},
    "curators": {"dedup": Empty, "length": Length, "decontaminate": Decontaminate},
    "teachers": {"transformers": Transformers, "random": Random, "identity": Empty, "harper": Empty, "openai": Api},
    "students": {"prune": Prune},
    "trainers": {"local": Empty},
    "losses": {"cross_entropy": Empty, "forward_kl": Temperature},
    "metrics": {"exact_match": Empty, "errant": Empty, "gleu": Empty},
    "judges": {"harper": Empty},
    "quantizers": {"gguf": Gguf, "onnx": Onnx},
    "engines": {"transformers": Empty, "llama_cpp": Empty},
    "targets": {"bundle": Bundle},
    "executors": {"local": Empty},
}


CAPABILITIES: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("generators", "corrupt"): {"rows": "one", "target": {"gold": {"keep": {"const": "own"}, "drop": {"const": "none"}}}},
    ("generators", "answer"): {"rows": "one", "answers": {"const": "target"}},
    ("losses", "forward_kl"): {"needs": "log_probabilities"},
}


class FakeTable:
    """Implements `distillc.spec.table.PluginTable`."""

    def __init__(self, plugins: Mapping[str, Mapping[str, type[Config]]] = PLUGINS) -> None:
        self.plugins = plugins

    def names(self, kind: str) -> Sequence[str]:
        return sorted(self.plugins.get(kind, {}))

    def config_schema(self, kind: str, name: str) -> Mapping[str, Any]:
        return self.plugins[kind][name].model_json_schema()

    def capabilities(self, kind: str, name: str) -> Mapping[str, Any]:
        return CAPABILITIES.get((kind, name), {})

    def language_schema(self) -> Mapping[str, Any]:
        return self._language

    @cached_property
    def _language(self) -> Mapping[str, Any]:
        return compose(self)


@pytest.fixture(scope="session")
def table() -> FakeTable:
    return FakeTable()


@pytest.fixture(scope="session")
def builtins() -> Registry:
    """The built-in plugins, as `lint` sees them, and some that are not built yet: a teacher behind an API, which has a key, and its
    engine, and a judge that asks a model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISTILLC_PLUGINS", "")
        found = load()
    more: list[tuple[Kind, str, Mapping[str, Any], type[Config]]] = [
        (Kind.TEACHERS, "openai", {"format": "api"}, Api),
        (Kind.JUDGES, "llm", {"values": {"": "higher"}}, ModelJudge),
        (Kind.ENGINES, "http", {"reads": ["api"], "does": ["generate"]}, Empty),
    ]
    entries = list(found.entries)
    for kind, name, capabilities, config in more:
        manifest = Manifest(kind=kind, name=name, summary="", config="", impl="", capabilities=capabilities)
        entries.append(Entry(manifest, f"distillc-{name}", "0", config.model_json_schema()))
    return Registry(entries, compose(Registry(entries, {})))


@pytest.fixture
def table_with() -> Callable[..., FakeTable]:
    """A table with one more plugin: `table_with("losses", "mine", Config)`."""

    def make(kind: str, name: str, config: type[Config]) -> FakeTable:
        return FakeTable({**PLUGINS, kind: {**PLUGINS.get(kind, {}), name: config}})

    return make
