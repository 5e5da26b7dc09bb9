"""Generators make rows from rows: corruptions, answers, paraphrases."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from distillc.plugins.api.artifacts import Completion, Decoding, Model, Row, Task


class GenerateContext(Protocol):
    """What a generator may ask of the stage that runs it."""

    @property
    def task(self) -> Task: ...
    @property
    def seed(self) -> int: ...
    @property
    def decoding(self) -> Decoding: ...

    def model(self, field: str) -> Model:
        """The model that the config's `ModelRef` field names."""
        ...

    def answer(self, field: str, rows: Sequence[Row]) -> Iterator[tuple[Row, Completion]]:
        """Every row with the answer of the model that `field` names, in the order of `rows`; journalled, resumed, counted."""
        ...

    def drop(self, row: Row, reason: str) -> None:
        """Counts a row that yields nothing. Every input row is either the parent of an output row or dropped with a reason."""
        ...


class Generator(Protocol):
    """Made as `impl(config)`. Called once a shard; a pure function of the rows, the seed and the models."""

    def generate(self, rows: Sequence[Row], context: GenerateContext) -> Iterator[Row]: ...
