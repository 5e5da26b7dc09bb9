"""The most that answers may cost which have still to be asked for: each request counted as the meter sets it aside before it is sent."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from distillc.compiler.plan import Stage
from distillc.runtimes.budget import Budget
from distillc.runtimes.contracts import spends
from distillc.runtimes.inference.prompts import render
from distillc.runtimes.ledger import read_ledger, total
from distillc.runtimes.meter import NOTHING
from distillc.runtimes.proof.drawn import drawn
from distillc.runtimes.remote import chat
from distillc.runtimes.remote.endpoint import read_endpoint
from distillc.runtimes.stages.context import Artifact, Plugins, StageContext
from distillc.runtimes.stages.spending import API, price_of
from distillc.runtimes.store import Sealed, Store
from distillc.spec.errors import BudgetReached
from distillc.spec.money import dollars


class Most(NamedTuple):
    """`unpriced`: the models among them whose price nobody says."""

    calls: int = 0
    tokens: int = 0
    usd: Decimal = NOTHING
    unpriced: tuple[str, ...] = ()

    def refuse(self, budget: Budget, way_out: str) -> None:
        """Raises BudgetReached where so much is not left. `way_out` says how less may be asked for."""
        left = budget.left()
        help = f"raise the budget, or {way_out}"
        if left.usd is not None and self.usd > left.usd:
            raise BudgetReached(f"the answers may cost {dollars(self.usd)}, and {dollars(left.usd)} of the budget are left", help=help)
        if left.tokens is not None and self.tokens > left.tokens:
            raise BudgetReached(f"the answers may take {self.tokens:,} tokens, and {left.tokens:,} of the budget are left", help=help)
        if left.calls is not None and self.calls > left.calls:
            raise BudgetReached(f"{self.calls:,} answers are asked for, and {left.calls:,} calls of the budget are left", help=help)


def at_most(stages: Sequence[Stage], keys: Mapping[str, str], store: Store, folder: Path, plugins: Plugins) -> Most:
    """Of stages that ask one model each and whose inputs are sealed. `keys`: of all stages of the plan, by their ids."""
    calls, tokens, usd, unpriced = 0, 0, NOTHING, []
    for stage in stages:
        if store.sealed(stage.key) is not None or not spends(stage, plugins):
            continue
        price = price_of(stage.config["engine"])
        if price is None:
            unpriced.append(stage.inputs["model"].stage)
        for read, written in _requests(stage, keys, store, folder, plugins):
            calls += 1
            tokens += read + written
            usd += price.of(read, written) if price else NOTHING
    return Most(calls, tokens, usd, tuple(unpriced))


def _requests(stage: Stage, keys: Mapping[str, str], store: Store, folder: Path, plugins: Plugins) -> list[tuple[int, int]]:
    """The tokens of each, in and out. Which rows an earlier run had answers to is not looked up: the longest are taken to be left."""
    context = StageContext(stage, folder, folder, folder, _artifacts(stage, keys, store), plugins)
    rows = drawn(context.rows("rows"), stage.config["limit"], context.seed)
    prompts = [render(context.task, str(row.payload["input"])) for row in rows]
    model = context.model("model")
    if model.info.format != API:
        return []
    endpoint = read_endpoint(model.folder)
    body = chat.asking(endpoint, context.decoding, seed=context.seed, retention=stage.config["engine"].get("retention", "any"))
    sizes = sorted(chat.most(asked, chat.encoded(asked)) for asked in map(body, prompts))
    answered = total(read_ledger(store.home / "runs", {stage.key})).answers
    return sizes[answered:]


def _artifacts(stage: Stage, keys: Mapping[str, str], store: Store) -> dict[str, Artifact]:
    sealed: dict[str, Sealed] = {port: found for port, ref in stage.inputs.items() if (found := store.sealed(keys[ref.stage])) is not None}
    return {port: Artifact(store.directory(one), one.meta, one.stage, one.digest) for port, one in sealed.items()}
