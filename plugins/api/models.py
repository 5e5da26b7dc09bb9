"""Teachers say what and where a model is; students are cut from a model. Both write a model folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from distillc.plugins.api.artifacts import Model, ModelInfo


@dataclass(frozen=True, slots=True)
class BuildContext:
    """`folder` is the spec's; `name` the model's name in the spec; `cache` a folder shared by all specs of this user, for conversions."""

    folder: Path
    name: str
    cache: Path
    seed: int
    family: str | None = None
    license: str | None = None


class Teacher(Protocol):
    """Made as `impl(config)`. Its config class has `revisions(folder)`, as a source's."""

    def build(self, out: Path, context: BuildContext) -> ModelInfo:
        """Writes the model's files into `out`, byte for byte the same each time. Rules write none."""
        ...


class Student(Protocol):
    """Made as `impl(config)`."""

    def build(self, model: Model, out: Path, context: BuildContext) -> ModelInfo: ...
