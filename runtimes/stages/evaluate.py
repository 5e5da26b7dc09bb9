"""Evaluate: every metric on every model's answers, item by item, with intervals and paired differences."""

from typing import Any

from distillc.plugins.api.metrics import Metric
from distillc.runtimes.proof.items import (
    DIFFERENCES,
    ITEMS,
    SUMMARY,
    Scored,
    all_differences,
    answers_of,
    summarize,
    write_items,
    write_json,
)
from distillc.runtimes.stages.context import StageContext


def run(context: StageContext) -> dict[str, Any]:
    configs = {metric["uses"]: metric for metric in context.config["metrics"]}
    metrics: dict[str, Metric] = {name: context.plugin("metrics", config) for name, config in configs.items()}
    scored = []
    for answers in answers_of(context, references=bool(metrics)):
        for name, metric in metrics.items():
            scored.append(Scored(answers, name, metric.statistics(answers.items)))
        context.emit("evaluated", model=answers.model, data=answers.data, items=len(answers.items))
    summary = summarize(scored, metrics, context.seed)
    write_items(context.out / ITEMS, scored)
    write_json(context.out / SUMMARY, summary)
    write_json(context.out / DIFFERENCES, all_differences(scored, metrics, context.seed))
    return {"metrics": configs, "models": list(context.config["models"]), "data": list(context.config["data"])}
