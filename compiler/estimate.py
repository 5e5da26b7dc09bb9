"""What a stage is expected to yield and to cost: rows where limits, splits and files say so, tokens and money where these follow.

Nothing is measured: where a source's size is unknown, so is all that hangs on it until a `limit` bounds it. Row counts and the tokens that
models write are upper bounds (curators and generators may drop rows, answers may be shorter). Money is an estimate: see `pricing.py`.

A config class with the pure function `estimate(inputs)` speaks for itself. It gets `{"rows": {split: n}, "folder": the spec's, "task": …}`
and may return `rows` (by split, or a number of training rows), `tokens`, `seconds`, `bytes`; that of a source also `input_bytes` and
`target_bytes`, how long these texts of a row are on average.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any

from distillc.compiler.keys import OWN
from distillc.compiler.plan import Estimate, Input, Stage, without_cell
from distillc.compiler.pricing import BYTES, Prompt, Texts, asking, prompt_of
from distillc.plugins.api.artifacts import SPLITS
from distillc.spec.money import cost, exact

Counts = dict[str, int | None]
"""Rows by split; None where they are not known."""

OwnEstimate = Callable[[str, str, Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]
"""(plugin kind, name, flat config, inputs) -> what the plugin's config class says, empty where it says nothing."""

ROWS = ("ingest", "split", "generate", "curate")
"""Kinds of stages that yield rows."""


def silent(kind: str, name: str, config: Mapping[str, Any], inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """For plans without plugins at hand: no config class is asked."""
    return {}


@dataclass(slots=True)
class Estimates:
    """Goes through the stages in their order and remembers the rows of each, how long their texts are, and the `system` of models."""

    counts: dict[str, Counts]
    own: OwnEstimate = silent
    folder: Path = Path()
    texts: dict[str, Texts] = field(default_factory=dict)
    systems: dict[str, str | None] = field(default_factory=dict)

    def of(self, stage: Stage) -> Stage:
        """The stage with its estimate."""
        rows = self._entering(stage)
        counts = self._counts(stage, rows)
        bill = self._bill(stage, _total(counts if stage.kind == "generate" else rows))
        said: Mapping[str, Any] = {}
        entering = counts if stage.kind == "generate" else rows
        for kind in OWN.get(stage.kind, ()) if stage.uses else ():
            inputs = {"rows": entering, "folder": self.folder, "task": stage.config.get("task")}
            said = self.own(kind, stage.uses or "", stage.config, inputs) or said
        if isinstance(said.get("rows"), Mapping):
            counts = {**counts, **said["rows"]}
        elif isinstance(said.get("rows"), int):
            counts = {**counts, "train": said["rows"]}
        self._remember(stage, counts, said)
        total = _total(counts if stage.kind in ROWS else rows)
        estimate = Estimate(
            rows=total if stage.kind not in ("build-model", "quantize", "measure", "gate", "report", "bundle") else None,
            seconds=said.get("seconds"),
            bytes=_whole(said.get("bytes")),
            **{**bill, "tokens": _whole(said.get("tokens", bill.get("tokens")))},
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

    def _remember(self, stage: Stage, counts: Counts, said: Mapping[str, Any]) -> None:
        self.counts[stage.id] = counts
        if stage.kind in ROWS:
            self.texts[stage.id] = self._texts(stage, said)
        elif stage.kind == "build-model":
            self.systems[stage.id] = stage.config.get("system")
        elif stage.kind == "train":  # elsewhere it is trained with what it is told before each prompt, and asked with it
            self.systems[stage.id] = self._system(stage)

    def _texts(self, stage: Stage, said: Mapping[str, Any]) -> Texts:
        """Rows that are made from others are taken to be as long; an answer is as long as it may be."""
        if stage.kind == "ingest":
            return Texts(said.get("input_bytes"), said.get("target_bytes"))
        texts = self._entering_texts(stage)
        if stage.config.get("into") == "target" and "decoding" in stage.config:
            return texts._replace(target=stage.config["decoding"]["max_tokens"] * BYTES)
        return texts

    def _entering_texts(self, stage: Stage) -> Texts:
        return self.texts.get(stage.inputs["rows"].stage, Texts()) if "rows" in stage.inputs else Texts()

    def _system(self, stage: Stage, port: str = "model") -> str | None:
        return self.systems.get(stage.inputs[port].stage) if port in stage.inputs else None

    def _prompt(self, stage: Stage, port: str = "model") -> Prompt:
        return prompt_of(stage.config["task"]["prompt"], self._system(stage, port))

    def _bill(self, stage: Stage, rows: int | None) -> dict[str, Any]:
        """The fields of an estimate that say what models read, write and are trained on, and what that costs; empty where nobody knows."""
        config = stage.config
        if stage.kind == "measure":
            return {"tokens": len(config["models"]) * int(config["prompts"]) * int(config["tokens"]) * int(config["rounds"])}
        if rows is None:
            return {}
        if stage.kind == "generate" and ("engine" in config or "engines" in config):
            return self._asked(stage, rows)
        if stage.kind == "train" and "price" in config:  # what trains here has no such field
            return self._trained(stage, rows)
        return {}

    def _asked(self, stage: Stage, rows: int) -> dict[str, Any]:
        """Of several models each is asked all rows."""
        written = rows * int(stage.config["decoding"]["max_tokens"])
        engines = _engines(stage)
        found: dict[str, Any] = {"tokens": written * max(len(engines), 1)}
        if not any("price" in engine for engine in engines.values()):  # what runs here has no such field
            return found
        texts = self._entering_texts(stage)
        models: dict[str, dict[str, Any]] = {}
        read, prompts, usd = [], [], []
        for port, engine in engines.items():
            each = models[_called(stage, port)] = {"rows": rows, "tokens": written}
            if "price" in engine:
                prompt = self._prompt(stage, port)
                tokens = prompt.tokens(rows, texts)
                bill = asking(engine["price"], tokens, written, engine.get("mode")) if engine["price"] else None
                read.append(tokens)
                prompts.append(bill and bill.prompts)
                usd.append(bill and bill.prompts + bill.answers)
                each |= {"prompt_tokens": tokens, "usd": _text(usd[-1:])}
                found["uncounted"] = prompt.uncounted(texts)
        return {**found, "prompt_tokens": sum(read), "prompts_usd": _text(prompts), "usd": _text(usd), "models": models}

    def _trained(self, stage: Stage, rows: int) -> dict[str, Any]:
        """Of a training elsewhere: all epochs are paid for, whatever stops it."""
        config, prompt, texts = stage.config, self._prompt(stage), self._entering_texts(stage)
        tokens = prompt.trained_tokens(rows, texts, int(config["epochs"]))
        price = (config["price"] or {}).get("trained")
        usd = _text([None if price is None else cost(tokens, exact(price))])
        models = {stage.id: {"rows": rows, "trained_tokens": tokens, "usd": usd}}
        return {"trained_tokens": tokens, "usd": usd, "uncounted": prompt.uncounted(texts, trained=True), "models": models}


def _engines(stage: Stage) -> Mapping[str, Mapping[str, Any]]:
    """The engines of the models that a stage asks, by their ports; that of the only one is where no rows and no check come in."""
    if "engines" in stage.config:
        return stage.config["engines"]  # type: ignore[no-any-return]
    port = next((port for port in stage.inputs if port not in ("rows", "parity")), "")
    return {port: stage.config["engine"]} if stage.config["engine"] else {}


def _called(stage: Stage, port: str) -> str:
    """The name of a model in the ledger."""
    return without_cell(stage.inputs[port].stage) if port in stage.inputs else port


def _text(amounts: list[Decimal | None]) -> str | None:
    """The sum as a decimal text; None where one is not known."""
    known = [amount for amount in amounts if amount is not None]
    return f"{sum(known):f}" if len(known) == len(amounts) else None


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
