"""What the answers of one model cost in one shard: the meter that its engine asks, and the event `spent` that the ledger adds up.

The event counts from where this account was opened; its last one says what was spent since. Beside that stand what was `found` in the
shard's journal then, which tells what a run that was killed had no time to tell of, and what is `in_doubt`: the most that is lost where
this one is killed before it tells again.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from distillc.compiler.tables.prices import BATCH_DISCOUNT
from distillc.plugins.api.artifacts import Completion, Model
from distillc.plugins.api.engines import Metered, Running
from distillc.runtimes.meter import NOTHING, Meter, Price, Spent, spent_on
from distillc.runtimes.stages.context import StageContext
from distillc.runtimes.work import Shard, refuse_late
from distillc.spec.money import exact
from distillc.spec.secret import name_in

API = "api"
"""The format of a model that somebody else runs: its answers are calls, which are paid for."""


class Account:
    """`engine` is the engine's config in the plan, which has the model's price; `answers` are those that stand in the journal already."""

    def __init__(self, stage: StageContext, shard: Shard, model: Model, engine: Mapping[str, Any], answers: Iterable[Completion]) -> None:
        self._stage, self._shard, self._model, self._engine = stage, shard, model, engine
        self._calls = model.info.format == API
        self._meter = Meter(stage.purse.left, price_of(engine), self._tell if self._calls else None)
        self._found = spent_on(answers)
        self._opened, self._started = time.time(), time.perf_counter()
        self._told = Spent()
        if self._found.calls:
            self._tell()

    def open(self, running: Running) -> None:
        """Before calls: they may cost what is left of the map's allowance by now, other models' calls counted."""
        self._meter.allow(self._stage.purse.left)
        if isinstance(running, Metered):
            running.pay_by(self._meter)

    def count(self, running: Running, fresh: Iterable[Completion]) -> None:
        """New answers stand in the journal. An engine that asks no meter is on this machine: its answers are counted here."""
        if not isinstance(running, Metered):
            for completion in fresh:
                self._meter.settle(None, completion.prompt_tokens, completion.completion_tokens)
        self._meter.told()
        self._tell()

    def close(self) -> None:
        """Says what is not said yet: calls were answered, too, while the one was refused that ended the shard."""
        doubt = self._meter.in_doubt
        self._meter.told(last=True)
        if doubt.calls or self._meter.spent != self._told:
            self._tell()
        elif self._calls:
            self._stage.purse.left = self._meter.left

    def _tell(self) -> None:
        meter, price, key = self._meter, self._meter.price, self._engine.get("api_key")
        if self._calls:
            self._stage.purse.left = meter.left
        self._told = meter.spent
        self._stage.emit(
            "spent",
            shard=self._shard.number,
            model=self._model.info.name,
            opened=self._opened,
            answers=meter.spent.calls - meter.lost.calls,
            **self._figures(meter.spent),
            lost=self._figures(meter.lost),
            in_doubt=self._figures(meter.in_doubt),
            found={"answers": self._found.calls, **self._figures(self._found)},
            seconds=round(time.perf_counter() - self._started, 3),
            prices=None if price is None else {"input": str(price.input), "output": str(price.output), "discount": str(price.discount)},
            key_name=key and name_in(key),
        )

    def _figures(self, spent: Spent) -> dict[str, Any]:
        return {
            "calls": spent.calls if self._calls else 0,
            "prompt_tokens": spent.prompt_tokens,
            "completion_tokens": spent.completion_tokens,
            "usd": f"{spent.usd:f}",
        }

    def refuse_late(self, running: Running) -> None:
        """Raises BudgetReached where no further batch may begin. A meter refuses by itself, and lets calls in flight end."""
        if not isinstance(running, Metered):
            refuse_late(self._meter.left)


def price_of(engine: Mapping[str, Any]) -> Price | None:
    price = engine.get("price")
    discount = BATCH_DISCOUNT if engine.get("mode") == "batch" else NOTHING
    return Price(exact(price["input"]), exact(price["output"]), discount) if price else None
