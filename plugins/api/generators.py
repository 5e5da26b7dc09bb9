"""Generators make rows from rows: corruptions, answers, paraphrases."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from distillc.plugins.api.artifacts import Completion, Decoding, Model, Row, Task
from distillc.plugins.api.metrics import Item


class GenerateContext(Protocol):
    """What a generator may ask of the stage that runs it."""

    @property
    def task(self) -> Task: ...
    @property
    def seed(self) -> int: ...
    @property
    def decoding(self) -> Decoding: ...

    def ports(self, field: str) -> Sequence[str]:
        """The names under which the models of a config's field are asked: of a `ModelRef` its own, of a list `FIELD.0`, `FIELD.1` …"""
        ...

    def model(self, port: str) -> Model:
        """The model behind a port."""
        ...

    def answer(self, port: str, rows: Sequence[Row], *, top_logprobs: int = 0) -> Iterator[tuple[Row, Completion]]:
        """Every row with the answer of the model behind a port, in the order of `rows`; journalled, resumed, counted. With `top_logprobs`
        so many candidates are asked for at each of its tokens."""
        ...

    def score(self, field: str, items: Sequence[Item]) -> Sequence[float]:
        """What the judge in a config's field (a `JudgeStep`) gives each output: the more the better, NaN where it has no verdict."""
        ...

    def lose(self, port: str, reason: str) -> None:
        """Counts an answer of the model behind a port that is not learned from, where its row may have others."""
        ...

    def drop(self, row: Row, reason: str) -> None:
        """Counts a row that yields nothing. Every input row is either the parent of an output row or dropped with a reason."""
        ...


class Generator(Protocol):
    """Made as `impl(config)`. Called once a shard; a pure function of the rows, the seed and the models."""

    def generate(self, rows: Sequence[Row], context: GenerateContext) -> Iterator[Row]: ...
