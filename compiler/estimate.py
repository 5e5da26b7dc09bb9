"""What a stage is expected to yield: rows where limits and splits say so, tokens where a bound follows from them.

Nothing is measured and nothing is guessed: where a source's size is unknown, so is all that hangs on it until a `limit` bounds it.
Row and token counts are upper bounds (curators and generators may drop rows, answers may be shorter). A config class with the pure
function `estimate(inputs)` speaks for itself: it gets `{"rows": {split: n}}` and may return `rows` (by split, or a number of training
rows), `tokens`, `seconds`, `bytes`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any

from distillc.compiler.keys import OWN
from distillc.compiler.plan import Estimate, Input, Stage
from distillc.compiler.tables.prices import BATCH_DISCOUNT
from distillc.plugins.api.artifacts import SPLITS
from distillc.spec.money import cost, exact

Counts = dict[str, int | None]
"""Rows by split; None where they are not known."""

OwnEstimate = Callable[[str, str, Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]
"""(plugin kind, name, flat config, inputs) -> what the plugin's config class says, empty where it says nothing."""


def silent(kind: str, name: str, config: Mapping[str, Any], inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """For plans without plugins at hand: no config class is asked."""
    return {}


@dataclass(slots=True)
class Estimates:
    """Goes through the stages in their order and remembers the rows of each."""

    counts: dict[str, Counts]
    own: OwnEstimate = silent

    def of(self, stage: Stage) -> Stage:
        """The stage with its estimate."""
        rows = self._entering(stage)
        counts = self._counts(stage, rows)
        tokens = self._tokens(stage, rows)
        said: Mapping[str, Any] = {}
        for kind in OWN.get(stage.kind, ()) if stage.uses else ():
            entering = counts if stage.kind == "generate" else rows
            said = self.own(kind, stage.uses or "", stage.config, {"rows": entering}) or said
        if isinstance(said.get("rows"), Mapping):
            counts = {**counts, **said["rows"]}
        elif isinstance(said.get("rows"), int):
            counts = {**counts, "train": said["rows"]}
        self.counts[stage.id] = counts
        total = _total(counts if stage.kind in ("ingest", "split", "generate", "curate") else rows)
        written = _whole(said.get("tokens", tokens))
        estimate = Estimate(
            rows=total if stage.kind not in ("build-model", "quantize", "measure", "gate", "report", "bundle") else None,
            tokens=written,
            seconds=said.get("seconds"),
            bytes=_whole(said.get("bytes")),
            usd=_usd(stage, written),
        )
        return Stage(stage.id, stage.kind, stage.uses, stage.config, stage.inputs, stage.key, estimate, stage.line)

    def _entering(self, stage: Stage) -> Counts:
        """Rows that enter by `rows`, or by all the answers that are looked at."""
        if "rows" in stage.inputs:
            return self._through(stage.inputs["rows"])
        answers = [self._through(entry) for port, entry in stage.inputs.items() if port.startswith("answers.")]
        if not answers:
            return {}
        return {split: _sum([counts.get(split, 0) for counts in answers]) for split in SPLITS}

    def _through(self, entry: Input) -> Counts:
        counts = self.counts.get(entry.stage, {})
        if entry.split is None:
            return counts
        return {entry.split: counts[entry.split]} if entry.split in counts else {}

    def _counts(self, stage: Stage, rows: Counts) -> Counts:
        config = stage.config
        match stage.kind:
            case "ingest":
                return {"train": _whole(config.get("limit"))}
            case "split":
                held = int(config["validation"]) + int(config["test"])
                everything = rows.get("train")
                rest = None if everything is None else max(everything - held, 0)
                return {"train": rest, "validation": config["validation"], "test": config["test"]}
            case "generate" if config.get("under_test"):
                return {split: _limited(count, 0, config.get("limit")) for split, count in rows.items()}
            case "generate":
                return {**rows, **({"train": _limited(rows["train"], config.get("skip"), config.get("limit"))} if "train" in rows else {})}
            case "curate":
                return rows
        return {}

    def _tokens(self, stage: Stage, rows: Counts) -> int | None:
        """Tokens that models write (answers, measurements)."""
        config = stage.config
        if stage.kind == "generate" and ("engine" in config or "engines" in config):
            total = _total(self._counts(stage, rows))
            return None if total is None else total * int(config["decoding"]["max_tokens"]) * max(len(config.get("engines") or ()), 1)
        if stage.kind == "measure":
            return len(config["models"]) * int(config["prompts"]) * int(config["tokens"]) * int(config["rounds"])
        return None


def _usd(stage: Stage, tokens: int | None) -> str | None:
    """What that many tokens cost where their model has a price; of a panel each model writes as many as another."""
    engines = list((stage.config.get("engines") or {"": stage.config.get("engine") or {}}).values())
    paid = [engine for engine in engines if "price" in engine]  # what runs here has no such field
    if stage.kind != "generate" or tokens is None or not paid or not all(engine["price"] for engine in paid):
        return None
    return f"{sum(answers_cost(engine['price'], tokens // len(engines), engine.get('mode')) for engine in paid):f}"


def answers_cost(price: Mapping[str, Any], tokens: int, mode: str | None) -> Decimal:
    paid = 1 - BATCH_DISCOUNT if mode == "batch" else 1
    return cost(tokens, exact(price["output"])) * paid


def train_steps(config: Mapping[str, Any], rows: int | None) -> int | None:
    """Optimizer steps of a train stage before early stopping: `steps`, else what `epochs` over the rows make."""
    if config.get("steps"):
        return int(config["steps"])
    return None if rows is None else ceil(rows / int(config["batch"])) * ceil(float(config["epochs"]))


def _limited(rows: int | None, skip: Any, limit: Any) -> int | None:
    left = None if rows is None else max(rows - int(skip or 0), 0)
    if limit is None:
        return left
    return int(limit) if left is None else min(left, int(limit))


def _total(counts: Counts) -> int | None:
    return _sum(list(counts.values())) if counts else None


def _sum(numbers: list[int | None]) -> int | None:
    known = [n for n in numbers if n is not None]
    return sum(known) if len(known) == len(numbers) else None


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None
