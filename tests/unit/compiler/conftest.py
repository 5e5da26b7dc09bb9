"""A registry of the built-in plugins and a few made up ones, without entry points and without a cache."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.front import Compiled, compile_file
from distillc.plugins.builtin import distillc_manifests
from distillc.plugins.discovery import describe
from distillc.plugins.registry import Entry, Registry
from distillc.spec.schema import compose

DESIGN = Path(__file__).parent / "grammar.yaml"


class Plugins(Registry):
    """`classes` are config classes that stand in no module; `absent` are modules that count as not installed."""

    def __init__(
        self, entries: Iterable[Entry], classes: Mapping[tuple[str, str], Any], absent: frozenset[str] = frozenset(), language: Any = None
    ) -> None:
        super().__init__(entries, language or {})
        self.classes = classes
        self.absent = absent

    def config_class(self, kind: str, name: str) -> Any:
        return self.classes.get((kind, name)) or super().config_class(kind, name)

    def missing(self, manifest: Any) -> tuple[str, ...]:
        return tuple(module for module in manifest.modules if module in self.absent)


@pytest.fixture(scope="session")
def builtin() -> list[Entry]:
    return [describe(manifest, "distillc", "0.1.0") for manifest in distillc_manifests()]


@pytest.fixture
def plugins(builtin: list[Entry]) -> Callable[..., Plugins]:
    """`plugins((manifest, config class), …, absent=…, without=…)`: the built-ins, but for those that the made up ones replace."""

    def make(*more: tuple[Any, Any], absent: Iterable[str] = (), without: Iterable[str] = ()) -> Plugins:
        own = {(manifest.kind, manifest.name): config for manifest, config in more}
        entries = [
            e for e in builtin if (e.manifest.kind, e.manifest.name) not in own and f"{e.manifest.kind}.{e.manifest.name}" not in without
        ]
        entries += [Entry(manifest, "distillc-made-up", "1.0", config.model_json_schema()) for manifest, config in more]
        language = compose(Registry(entries, {}))
        return Plugins(entries, own, frozenset(absent), language)

    return make


@pytest.fixture(scope="session")
def shared(builtin: list[Entry]) -> Plugins:
    """The built-ins alone."""
    return Plugins(builtin, {}, frozenset(), compose(Registry(builtin, {})))


@pytest.fixture
def compiled(tmp_path: Path, shared: Plugins) -> Callable[..., Compiled]:
    """`compiled(text)`: the text as a spec in an empty folder, compiled."""

    def run(text: str, registry: Registry | None = None, *, folder: Path | None = None, **options: Any) -> Compiled:
        folder = folder or tmp_path
        (folder / "distill.yaml").write_text(text, encoding="utf-8")
        return compile_file(folder / "distill.yaml", registry or shared, **options)

    return run
