"""Rows as token ids, and the order in which training sees them."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from distillc.plugins.api.artifacts import Row, Task
from distillc.runtimes.inference.loading import Text
from distillc.runtimes.inference.prompts import continuation, render
from distillc.spec.errors import StageFailed


@dataclass(frozen=True, slots=True)
class Example:
    """One row. `answer` ends with the end token; its ids are what the student is trained to write, mostly those of its own tokenizer."""

    row_id: str
    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    @property
    def pair(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self.prompt, self.answer


def example(row: Row, task: Task, text: Text) -> Example:
    """Raises StageFailed for a row without a target."""
    prompt, answer = written(row, task)
    return Example(row.row_id, tuple(text.prompt(prompt)), tuple(text.answer(answer)))


def written(row: Row, task: Task) -> tuple[str, str]:
    """The texts of a row: its prompt, and the answer that goes on after it. Raises StageFailed for a row without a target."""
    target = row.payload.get("target")
    if not isinstance(target, str):
        raise StageFailed(
            f"row {row.row_id} has no {task.target!r} to train on",
            where=row.row_id,
            help="let the step `answer` write one, or train on rows that have one",
        )
    prompt = render(task, str(row.payload["input"]))
    return prompt, continuation(prompt, target)


@dataclass(frozen=True, slots=True)
class Order:
    """Which rows make a step: a pure function of (seed, epoch), so that a resumed run sees what an unbroken one sees."""

    rows: int
    batch: int
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(self.rows / self.batch)

    def step(self, number: int) -> Sequence[int]:
        """Places of the rows of step `number`, from 0. The last step of an epoch may be smaller."""
        epoch, place = divmod(number, self.steps_per_epoch)
        return self._epoch(epoch)[place * self.batch : (place + 1) * self.batch]

    def _epoch(self, epoch: int) -> list[int]:
        order = list(range(self.rows))
        random.Random(f"{self.seed}:{epoch}").shuffle(order)
        return order
