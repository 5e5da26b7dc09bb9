"""Judge: one judge on every model's answers. Its value goes by the local name that the spec gave it."""

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
    name = context.config["name"]
    judge: Metric = context.plugin("judges")
    scored = []
    for answers in answers_of(context, references=False):
        scored.append(Scored(answers, name, judge.statistics(answers.items)))
        context.emit("judged", judge=name, model=answers.model, data=answers.data, items=len(answers.items))
    write_items(context.out / ITEMS, scored)
    write_json(context.out / SUMMARY, summarize(scored, {name: judge}, context.seed))
    write_json(context.out / DIFFERENCES, all_differences(scored, {name: judge}, context.seed))
    return {"judge": {"uses": context.stage.uses, **context.config}, "models": list(context.config["models"])}
