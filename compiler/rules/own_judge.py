"""A judge decides about itself: it, or a model with its weights, is among those that it judges.

Why: a model knows its own texts and likes them better than others, the more so the better it knows them; rules find nothing wrong with
what they have corrected, so of a panel (`keep: best`) they choose their own. Such a verdict says who the judge is. LLM Evaluators
Recognize and Favor Their Own Generations, 2024. https://arxiv.org/abs/2404.13076

Example:

    models: {rules: harper}
    evaluate:
      test:
        data: pairs.test
        models: [rules, teacher, student, q8]
        judges: {lints: harper}
        gates: {cleaner: {model: q8, metric: lints, against: rules}}

Use instead:

    models: {rules: harper}
    evaluate:
      test:
        data: pairs.test
        models: [rules, teacher, student, q8]
        metrics: [errant]
        judges: {lints: harper}
        gates: {cleaner: {model: q8, metric: errant_f0.5, against: rules}}
"""

from collections.abc import Iterator, Mapping
from typing import Any

from distillc.compiler.outline import Outline
from distillc.compiler.outline.steps import Step
from distillc.compiler.rules import label, warning
from distillc.spec.diagnostic import Diagnostic


def check(outline: Outline) -> Iterator[Diagnostic]:
    for step in outline.of("evaluate"):
        for name, judge in (step.body.get("judges") or {}).items():
            yield from _models(outline, step, name, judge)
            yield from _rules(outline, step, name, judge)
    for step in outline.of("generate"):
        for index, item in enumerate(step.body["steps"]):
            if isinstance(judge := item.get("judge"), Mapping):
                yield from _panel(outline, step, index, item, judge)


def _models(outline: Outline, step: Step, name: str, judge: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """A judge that asks a model: each candidate is compared with that one, so all verdicts are bent."""
    for asked in outline.named("judges", judge, "model"):
        own = {index: model for index, model in enumerate(step.body["models"]) if _same(outline, model) == _same(outline, asked)}
        if own:
            others = [model for model in own.values() if model != asked]
            what = " and ".join(["itself"] * (asked in own.values()) + [f"its other form `{model}`" for model in others])
            related = [each for index in own for each in label(outline, (*step.where, "models", index), "judged here")]
            help = "let a model of another family judge, or take this one out of `models`"
            message = f"judge `{name}` asks `{asked}`, which judges {what}"
            yield warning(outline, "D653", (*step.where, "judges", name), message, help, related=tuple(related))


def _rules(outline: Outline, step: Step, name: str, judge: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """A judge that is rules: its verdict on itself harms nobody, unless a gate hangs on it."""
    family = outline.capabilities("judges", judge["uses"]).get("family")
    for gate, body in (step.body.get("gates") or {}).items():
        if family is None or not (body["metric"] == name or body["metric"].startswith(f"{name}_")):
            continue
        for side in ("model", "against"):
            model = outline.models[body[side]]
            if not model.has_weights and model.family == family:
                message = f"`{gate}` takes the verdict of judge `{name}` on `{model.name}`, which is {family} itself"
                related = label(outline, (*step.where, "judges", name), "the judge")
                help = f"compare by a metric, or with another model than `{model.name}`"
                yield warning(outline, "D653", (*step.where, "gates", gate, side), message, help, related=related)


def _panel(outline: Outline, step: Step, index: int, item: Mapping[str, Any], judge: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """A judge that chooses among answers of which some are its own: it has nothing against these."""
    family = outline.capabilities("judges", judge["uses"]).get("family")
    for name in outline.named("generators", item, "model"):
        model = outline.models[name]
        if family and not model.has_weights and model.family == family:
            message = f"judge `{judge['uses']}` chooses among answers of which those of `{name}` are its own"
            help = f"take `{name}` out of `model`, or another judge"
            yield warning(outline, "D653", (*step.where, "steps", index, "judge"), message, help)


def _same(outline: Outline, name: str) -> str:
    """The model that an export is another form of; any other is itself."""
    return next((other for other in outline.ancestors(name) if outline.models[other].section != "quantize"), name)
