"""Trains a model: gathers rows, losses, signals and the early-stopping metric, and hands them to the trainer."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from distillc.plugins.api.artifacts import Row
from distillc.plugins.api.manifest import Kind
from distillc.plugins.api.metrics import Item, Metric
from distillc.plugins.api.trainers import EarlyStopping, Lora, LossTerm, Trainer, TrainJob, TrainSettings
from distillc.runtimes.stages.context import StageContext
from distillc.runtimes.stages.models import describe
from distillc.spec.errors import StageFailed

PLAIN = ("epochs", "steps", "batch", "learning_rate", "warmup", "weight_decay", "max_grad_norm", "evaluate_every")


def run(context: StageContext) -> dict[str, Any]:
    rows = _trainable(context, "rows", "training")
    validation = _trainable(context, "validation", "validation") if "validation" in context.ports() else []
    stopping = context.config.get("early_stopping")
    trainer: Trainer = context.plugin(Kind.TRAINERS)
    result = trainer.train(
        TrainJob(
            model=context.model("model"),
            out=context.out,
            work=context.work,
            name=context.config["name"],
            task=context.task,
            decoding=context.decoding,
            rows=rows,
            validation=validation,
            losses=losses(context),
            settings=settings(context.config),
            seed=context.seed,
            emit=context.emit,
            score=scorer(context, stopping, validation) if stopping and stopping.get("uses") and validation else None,
            folder=context.folder,
            usd=context.purse.left.usd,
            tokens=context.purse.left.tokens,
        )
    )
    history = [dict(entry) for entry in result.history]
    _refuse_nan(history, context.stage.id)
    context.emit("trained", tokens=result.tokens, steps=result.steps, best_step=result.best_step, stopped=result.stopped, **result.bill)
    meta = describe(context.out, replace(result.info, name=context.config["name"]))
    return {
        **meta,
        "history": history,
        "steps": result.steps,
        "best_step": result.best_step,
        "tokens": result.tokens,
        "stopped": result.stopped,
        "rows": {"train": len(rows), "validation": len(validation)},
    }


def losses(context: StageContext) -> list[LossTerm]:
    """One term for each entry of `losses:`, in its order. A loss with signals has a port `signals.NAME`.

    None for a trainer elsewhere: it computes its own, and nothing here has to be able to.
    """
    if context.manifest(Kind.TRAINERS, str(context.stage.uses)).capabilities.get("remote"):
        return []
    terms = []
    for name, config in context.config["losses"].items():
        port = f"signals.{name}"
        wired = port in context.ports()
        signals: Path | None = context.directory(port) if wired else None
        loss = context.plugin(Kind.LOSSES, config)
        terms.append(LossTerm(name, float(config.get("weight", 1.0)), loss, signals, float(config.get("temperature", 1.0))))
    return terms


def settings(config: Mapping[str, Any]) -> TrainSettings:
    stopping = config.get("early_stopping")
    early = None
    if stopping:
        early = EarlyStopping(stopping["metric"], int(stopping["patience"]), bool(stopping.get("higher_is_better", False)))
    adapters = Lora(**config["lora"]) if config.get("lora") else None
    return TrainSettings(**{key: config[key] for key in PLAIN if key in config}, early_stopping=early, lora=adapters)


def scorer(context: StageContext, stopping: Mapping[str, Any], validation: Sequence[Row]) -> Callable[[Sequence[str]], Mapping[str, float]]:
    """Answers to `validation`, in its order, to the metric's values under the names that a spec gives them (`errant_f0.5`)."""
    metric: Metric = context.plugin(Kind.METRICS, stopping)
    plugin = stopping["uses"]

    def score(outputs: Sequence[str]) -> Mapping[str, float]:
        import numpy as np

        items = [
            Item(row.row_id, str(row.payload["input"]), output, (str(row.payload["target"]),), row.group)
            for row, output in zip(validation, outputs, strict=True)
        ]
        totals = metric.statistics(items).sum(axis=0)
        values = metric.aggregate(totals, np.asarray(float(len(items))))
        return {f"{plugin}_{name}" if name else plugin: float(value) for name, value in values.items()}

    return score


def _trainable(context: StageContext, port: str, what: str) -> list[Row]:
    rows = context.rows(port)
    if not rows:
        raise StageFailed(f"there are no {what} rows: the data set is empty", where=context.stage.id, help="check the step it comes from")
    without = sum(1 for row in rows if not row.payload.get("target"))
    if without:
        raise StageFailed(
            f"{without} of {len(rows)} {what} rows have no target",
            where=context.stage.id,
            help=f"answer them first: `steps: [{{uses: answer, model: …}}]`; or is `{context.task.target}`, the task's `target`, misspelt?",
        )
    return rows


def _refuse_nan(history: Sequence[Mapping[str, Any]], where: str) -> None:
    for entry in history:
        for name, value in entry.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise StageFailed(
                    f"{name} is {value} at step {entry.get('step', '?')}",
                    where=where,
                    help="lower `learning_rate`, or look for empty targets in the data",
                )
