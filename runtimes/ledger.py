"""The ledger: what stages have cost, a row for each model in each shard, read from the logs of runs.

A stage's cost is looked for under its key in every run, for what one run left another goes on with; and under the key of the stage whose
result it adopted. An account of a model in a shard (`stages/spending.py`) is told of again and again, so its last event counts; what comes
from several accounts adds up, a row for each price, user and key.

What a kill left untold is known from the next account, which says what it found: that much more the one before had cost. The rest of what
was in doubt then is lost: calls that may be billed, at the most that they may have cost.
"""

import getpass
import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from decimal import Decimal
from operator import add
from pathlib import Path
from typing import Any

from distillc.runtimes.events import read_events
from distillc.runtimes.meter import NOTHING, Price
from distillc.spec.money import cost, exact

ENDED = frozenset({"stage sealed", "stage failed", "stage interrupted", "stage stopped"})


@dataclass(frozen=True, slots=True)
class Amount:
    """What adds up. `calls` are those of APIs, the `lost` ones among them; what runs on this machine answers without one.

    A lost call gave no answer and may be billed: its tokens and its money, `lost_usd`, are the most that it may have taken. `unpriced` are
    calls and trainings elsewhere whose price nobody says: they are not in `usd`.
    """

    answers: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    trained_tokens: int = 0
    seconds: float = 0.0
    usd: Decimal = NOTHING
    lost: int = 0
    lost_usd: Decimal = NOTHING
    unpriced: int = 0

    @property
    def tokens(self) -> int:
        """In, out and trained on."""
        return self.prompt_tokens + self.completion_tokens + self.trained_tokens

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(*map(add, astuple(self), astuple(other)))

    def __or__(self, other: "Amount") -> "Amount":
        """The larger of each."""
        return Amount(*map(max, astuple(self), astuple(other)))

    def less(self, other: "Amount") -> "Amount":
        """What this has more than the other."""
        return Amount(*(max(mine - its, type(mine)(0)) for mine, its in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class Row:
    """A model in a shard of a stage. What a stage trained has no shard; one row of each stage has the seconds that no model took.

    `prices`: US dollars per million tokens, and the discount. `actor` ran it, with the key of this name; the key itself is nowhere. `job`:
    the id of a training on somebody's platform.
    """

    stage: str
    key: str
    kind: str
    shard: int | None = None
    model: str | None = None
    amount: Amount = field(default_factory=Amount)
    prices: Mapping[str, str] | None = None
    actor: str | None = None
    key_name: str | None = None
    job: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """What was last told of one. `found`: the answers in the shard's journal when it was opened. `in_doubt`: what was when it told."""

    row: Row
    lost: Amount
    found: Amount
    in_doubt: Amount


Place = tuple[str, int | None, str | None]
"""A stage's key, a shard, a model or a job: what there is one row of, where nothing has changed from run to run."""


def read_ledger(runs: Path, keys: Container[str]) -> list[Row]:
    """The rows of the stages with these keys, from the logs of all runs in the folder, in the order in which they first appear."""
    return ledger([list(read_events(folder / "events.jsonl")) for folder in sorted(runs.iterdir())], keys)


def ledger(logs: Sequence[Sequence[Mapping[str, Any]]], keys: Container[str]) -> list[Row]:
    """From the events of runs, older runs first."""
    read = _Read(_shown_as(logs, keys))
    for log in logs:
        read.run(log)
    return [row for place, rows in read.rows.items() for row in (rows or _summed(list(read.accounts[place].values())))]


def _shown_as(logs: Sequence[Sequence[Mapping[str, Any]]], keys: Container[str]) -> Callable[[str], str | None]:
    """Under which of `keys` the cost of a stage counts: its own, or that of the stage that adopted its result."""
    adopted: dict[str, str] = {}

    def shown(key: str) -> str | None:
        return key if key in keys else adopted.get(key)

    for log in reversed(logs):  # a result may have been adopted from one that was
        for event in reversed(log):
            if event["event"] == "stage adopted" and (by := shown(str(event.get("key")))):
                adopted.setdefault(str(event.get("of")), by)
    return shown


class _Read:
    """What logs say, run by run. `rows` has each place as it first appears; accounts are added up when all of them are known."""

    def __init__(self, shown: Callable[[str], str | None]) -> None:
        self._shown = shown
        self.rows: dict[Place, list[Row]] = {}
        self.accounts: dict[Place, dict[float, Account]] = {}

    def run(self, log: Sequence[Mapping[str, Any]]) -> None:
        """A stage's seconds are shared out: what asking models took is theirs, the rest is the stage's own."""
        stages: dict[str, tuple[str, Row]] = {}
        asking: dict[tuple[Any, ...], float] = {}
        begun: dict[str, float] = {}
        actor, last = None, 0.0

        def end(name: str, seconds: float) -> None:
            key, row = stages.pop(name)
            rest = max(seconds - sum(taken for (stage, *_), taken in asking.items() if stage == name), 0.0)
            self._add((key, None, None), replace(row, amount=Amount(seconds=rest)))

        for event in log:
            last = event["time"]
            name, stage = event["event"], str(event.get("stage"))
            if name == "run started":
                actor = event.get("actor")
            elif name == "stage started" and (shown := self._shown(str(event.get("key")))):
                stages[stage] = event["key"], Row(stage, shown, event["kind"], actor=actor)
                begun[stage] = last
            elif stage not in stages:
                continue
            elif name == "spent" and "opened" in event:  # before 2026-11-24 events counted otherwise, and are passed over
                key, row = stages[stage]
                place = key, event["shard"], event["model"]
                self.rows.setdefault(place, [])
                self.accounts.setdefault(place, {})[event["opened"]] = _account(row, event)
                asking[stage, *place, event["opened"]] = event["seconds"]
            elif name == "trained":
                key, row = stages[stage]
                stages[stage] = key, replace(row, model=stage)
                self._most((key, None, event.get("job") or stage), _trained(row, event))
            elif name in ENDED:
                end(stage, float(event.get("seconds") or 0.0))
        for stage in list(stages):  # the run was killed
            end(stage, last - begun[stage])

    def _add(self, place: Place, row: Row) -> None:
        before = self.rows.get(place, [Row(row.stage, row.key, row.kind)])[0]
        self.rows[place] = [replace(row, model=row.model or before.model, amount=before.amount + row.amount)]

    def _most(self, place: Place, row: Row) -> None:
        """A training that goes on tells of the whole of it."""
        before = self.rows.get(place, [row])[0]
        self.rows[place] = [replace(row, amount=before.amount | row.amount)]


def _summed(accounts: Sequence[Account]) -> Iterator[Row]:
    """The accounts of one place, in their order: a row for each price, user and key."""
    rows: dict[tuple[str, str | None, str | None], Row] = {}
    for number, account in enumerate(accounts):
        amount = account.row.amount
        unknown = account.in_doubt
        if number + 1 < len(accounts):
            untold = _priced(accounts[number + 1].found.less(account.found + amount.less(account.lost)), account.row.prices)
            amount, unknown = amount + untold, unknown.less(untold)
        amount += replace(unknown, answers=0, lost=unknown.calls, lost_usd=unknown.usd)
        if account.row.prices is None:
            amount = replace(amount, unpriced=amount.calls)
        same = (repr(account.row.prices), account.row.actor, account.row.key_name)
        before = rows[same].amount if same in rows else Amount()
        rows[same] = replace(account.row, amount=before + amount)
    yield from rows.values()


def _priced(untold: Amount, prices: Mapping[str, str] | None) -> Amount:
    if prices is None:
        return replace(untold, usd=NOTHING)
    price = Price(*(exact(prices[name]) for name in ("input", "output", "discount")))
    return replace(untold, usd=price.of(untold.prompt_tokens, untold.completion_tokens))


def _account(stage: Row, event: Mapping[str, Any]) -> Account:
    lost, in_doubt = _figures(event["lost"]), _figures(event["in_doubt"])
    row = replace(
        stage,
        shard=event["shard"],
        model=event["model"],
        amount=replace(_figures(event), seconds=event["seconds"], lost=lost.calls, lost_usd=lost.usd),
        prices=event.get("prices"),
        key_name=event.get("key_name"),
    )
    return Account(row, lost, _figures(event["found"]), in_doubt)


def _figures(event: Mapping[str, Any]) -> Amount:
    counts = {name: event.get(name, 0) for name in ("answers", "calls", "prompt_tokens", "completion_tokens")}
    return Amount(**counts, usd=exact(event["usd"]))


def _trained(stage: Row, event: Mapping[str, Any]) -> Row:
    """A training on this machine, or a job: one that failed is paid for as well, beside the one that came after it."""
    tokens, price = int(event["tokens"]), event.get("price")
    usd = cost(tokens, exact(price)) if price else NOTHING
    unpriced = int(bool(event.get("job")) and price is None)
    amount, prices = Amount(trained_tokens=tokens, usd=usd, unpriced=unpriced), {"trained": price} if price else None
    return replace(stage, model=stage.stage, amount=amount, prices=prices, key_name=event.get("key_name"), job=event.get("job"))


def total(rows: Iterable[Row]) -> Amount:
    return sum((row.amount for row in rows), Amount())


def elsewhere(rows: Iterable[Row]) -> Amount:
    """What other machines did, whose calls and tokens a budget limits: answers of APIs, and what jobs there were trained on."""
    return total(row for row in rows if row.amount.calls or row.job)


def actor() -> str:
    """Whoever runs this, for the ledger: the user's name, or number where there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # the last on Windows, where no variable says it
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"
