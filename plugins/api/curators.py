"""Curators drop rows, and say why."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from distillc.plugins.api.artifacts import Row, Task


class CurateContext(Protocol):
    @property
    def task(self) -> Task: ...

    def rows(self, field: str) -> Mapping[str, Sequence[Row]]:
        """The rows behind a `RowsRef` field (or list of them), by the reference as written (`pairs.test`)."""
        ...


class Curator(Protocol):
    """Made as `impl(config)`. With capability `scope: row` a verdict depends on its row alone; with `all`, on all of them."""

    def judge(self, rows: Sequence[Row], context: CurateContext) -> Iterator[str | None]:
        """For each row, in order: None to keep it, or the reason it is dropped (`duplicate`, `too_long`, `contaminated`)."""
        ...
