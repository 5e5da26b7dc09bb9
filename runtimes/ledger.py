"""The ledger: what stages have cost, a row for each model in each shard, read from the logs of runs.

A stage's cost is looked for under its key in every run, for what one run left another goes on with. Tokens and money are cumulative in the
log of a run, so the last event of a shard counts; seconds begin at nought in each run, so those of all runs are added up.
"""

import getpass
import os
from collections.abc import Container, Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from decimal import Decimal
from operator import add, sub
from pathlib import Path
from typing import Any

from distillc.runtimes.events import read_events
from distillc.runtimes.remote.meter import NOTHING
from distillc.spec.money import cost, exact

ENDED = frozenset({"stage sealed", "stage failed", "stage interrupted", "stage stopped"})


@dataclass(frozen=True, slots=True)
class Amount:
    """What adds up. `calls` are answers of APIs: what runs on this machine answers without one."""

    answers: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    trained_tokens: int = 0
    seconds: float = 0.0
    usd: Decimal = NOTHING

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(*map(add, astuple(self), astuple(other)))

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(*map(sub, astuple(self), astuple(other)))

    def __or__(self, other: "Amount") -> "Amount":
        """The larger of each."""
        return Amount(*map(max, astuple(self), astuple(other)))


@dataclass(frozen=True, slots=True)
class Row:
    """A model in a shard of a stage. What a stage trained has no shard; one row of each stage has the seconds that no model took.

    `found`: what the last run knew of when it began, from the journal of answers. `prices`: US dollars per million tokens, and the
    discount. `actor` ran it last, with the key of this name; the key itself is nowhere.
    """

    stage: str
    key: str
    kind: str
    shard: int | None = None
    model: str | None = None
    amount: Amount = field(default_factory=Amount)
    found: Amount = field(default_factory=Amount)
    prices: Mapping[str, str] | None = None
    actor: str | None = None
    key_name: str | None = None


Place = tuple[str, int | None, str | None]
"""A stage's key, a shard, a model or a job: what there is one row of."""


def read_ledger(runs: Path, keys: Container[str]) -> list[Row]:
    """The rows of the stages with these keys, from the logs of all runs in the folder, in the order in which they first appear."""
    return ledger((read_events(folder / "events.jsonl") for folder in sorted(runs.iterdir())), keys)


def ledger(logs: Iterable[Iterable[Mapping[str, Any]]], keys: Container[str]) -> list[Row]:
    """From the events of runs, older runs first."""
    rows: dict[Place, Row] = {}
    for log in logs:
        for place, row in _of_run(log, keys).items():
            # A journal may know less than was told, for some calls are billed and not answered; or more, after a kill.
            before = rows[place].amount if place in rows else Amount()
            rows[place] = replace(row, amount=(before | row.found) + (row.amount - row.found))
    return list(rows.values())


def _of_run(log: Iterable[Mapping[str, Any]], keys: Container[str]) -> dict[Place, Row]:
    """The same of one run. Its stage's seconds are shared out: what asking models took is theirs, the rest is the stage's own."""
    rows: dict[Place, Row] = {}
    stages: dict[str, Row] = {}
    begun: dict[str, float] = {}
    actor, last = None, 0.0
    for event in log:
        last = event["time"]
        name, stage = event["event"], stages.get(str(event.get("stage")))
        if name == "run started":
            actor = event.get("actor")
        elif name == "stage started" and str(event.get("key")) in keys:
            stages[event["stage"]] = Row(event["stage"], event["key"], event["kind"], actor=actor)
            begun[event["stage"]] = last
        elif stage is None:
            continue
        elif name == "spent":
            rows[stage.key, event["shard"], event["model"]] = _row(stage, event)
        elif name == "trained":
            stages[stage.stage] = replace(stage, model=stage.stage)
            rows[stage.key, None, event.get("job") or stage.stage] = _trained(stage, event)
        elif name in ENDED:
            _end(rows, stage, float(event.get("seconds") or 0.0))
            del stages[stage.stage]
    for stage in stages.values():  # the run was killed
        _end(rows, stage, last - begun[stage.stage])
    return rows


def _end(rows: dict[Place, Row], stage: Row, seconds: float) -> None:
    asking = sum(row.amount.seconds for row in rows.values() if row.key == stage.key)
    rows[stage.key, None, None] = replace(stage, amount=replace(stage.amount, seconds=max(seconds - asking, 0.0)))


def _row(stage: Row, event: Mapping[str, Any]) -> Row:
    return replace(
        stage,
        shard=event["shard"],
        model=event["model"],
        amount=replace(_figures(event), seconds=event["seconds"]),
        found=_figures(event["found"]),
        prices=event.get("prices"),
        key_name=event.get("key_name"),
    )


def _figures(event: Mapping[str, Any]) -> Amount:
    counts = {name: event[name] for name in ("answers", "calls", "prompt_tokens", "completion_tokens")}
    return Amount(**counts, usd=Decimal(event["usd"]))


def _trained(stage: Row, event: Mapping[str, Any]) -> Row:
    """A training on this machine, or a job: one that failed is paid for as well, beside the one that came after it."""
    tokens, price = int(event["tokens"]), event.get("price")
    usd = cost(tokens, exact(price)) if price else NOTHING
    amount, prices = Amount(trained_tokens=tokens, usd=usd), {"trained": price} if price else None
    return replace(stage, model=stage.stage, amount=amount, found=amount, prices=prices, key_name=event.get("key_name"))


def total(rows: Iterable[Row]) -> Amount:
    return sum((row.amount for row in rows), Amount())


def actor() -> str:
    """Whoever runs this, for the ledger: the user's name, or number where there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())
