"""Gate: one claim about two models, decided on paired items, with the other gates of the evaluation counted in."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from distillc.plugins.api.metrics import Metric
from distillc.runtimes.proof.gates import Claim, decide, one_sided
from distillc.runtimes.proof.items import ITEMS, read_numbers, write_json
from distillc.runtimes.proof.statistics import Difference, Floats, difference, holm, is_share, mcnemar
from distillc.runtimes.stages.context import StageContext
from distillc.spec.errors import StageFailed


def run(context: StageContext) -> dict[str, Any]:
    config = context.config
    claim = claim_of(config)
    gap, chance = compared(context, config)
    others = [compared(context, other)[1] for other in config.get("family") or () if other["name"] != config["name"]]
    decision = decide(claim, gap, holm([chance, *others])[0])
    verdict = {
        "name": config["name"],
        "level": config["level"],
        "verdict": decision.verdict,
        "reason": decision.reason,
        "model": config["model"],
        "against": config["against"],
        "metric": config["metric"],
        "margin": config.get("margin"),
        "data": config["data"],
        "difference": number(gap.value),
        "low": number(decision.low),
        "high": number(decision.high),
        "n": gap.n,
        "groups": gap.groups,
        "differing": gap.differing,
        "failed": gap.failed,
        "p": number(chance),
        "p_adjusted": number(decision.chance),
        "gates": 1 + len(others),
        "needed": decision.needed,
    }
    write_json(context.out / "gate.json", verdict)
    context.emit("gate", name=config["name"], verdict=decision.verdict)
    return verdict


def claim_of(config: Mapping[str, Any]) -> Claim:
    return Claim(config.get("margin"), bool(config["higher_is_better"]))


def compared(context: StageContext, config: Mapping[str, Any]) -> tuple[Difference, float]:
    """The paired difference of a gate's two models, and its one-sided p: exact where the metric is a share and items stand alone."""
    source, column, metric = metric_of(context, config)
    path = context.directory(source) / ITEMS
    ids, groups, one = read_numbers(path, config["data"], config["model"], column)
    other_ids, _, other = read_numbers(path, config["data"], config["against"], column)
    if ids != other_ids:
        raise StageFailed(f"{config['model']!r} and {config['against']!r} have different items", where=context.stage.id)
    gap = difference(metric.aggregate, config["value"], one, other, groups, context.seed)
    claim = claim_of(config)
    chance = one_sided(claim, gap)
    if claim.bound == 0 and gap.groups == gap.n == len(ids) and is_share(one) and is_share(other):
        chance = max(chance, one_sided_mcnemar(one, other, claim.higher_is_better))
    return gap, chance


def one_sided_mcnemar(one: Floats, other: Floats, higher: bool) -> float:
    """Half the exact two-sided p on the better side, the rest of 1 on the other."""
    both = mcnemar(one[:, 0], other[:, 0])
    better = one.sum() > other.sum() if higher else one.sum() < other.sum()
    return both / 2 if better else 1 - both / 2


def metric_of(context: StageContext, config: Mapping[str, Any]) -> tuple[str, str, Metric]:
    """Port, column and aggregating plugin of a gate's metric, made with the config that the evaluation had."""
    source, uses = config["source"], config["uses"]
    meta = context.meta(source)
    if source == "evaluation":
        return source, uses, context.plugin("metrics", meta["metrics"][uses])
    return source, source.partition(".")[2], context.plugin("judges", meta["judge"])


def number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
