"""Sources read rows from the world: files, packages, logs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from distillc.plugins.api.artifacts import Row, Task


@dataclass(frozen=True, slots=True)
class SourceContext:
    """`folder` is the spec's: relative paths start there."""

    folder: Path
    task: Task
    seed: int


class Source(Protocol):
    """Made as `impl(config)`.

    The pure function `config.revisions(folder) -> dict[str, str]` of its config class names every leaf that is read and its
    digest or version (`{"numpy": "2.3.1"}`, `{"data.jsonl": "sha256:…"}`): that is what enters the key, and the lock.
    """

    def read(self, context: SourceContext) -> Iterator[Row]:
        """Rows in an order that depends on the leaves alone; `split` is set by the stage that splits."""
        ...
