"""What a probe found: models ranked by quality, what each costs, which of them no other beats in both, and a sentence that says so.

Plain data (`distillc probe --format json`), which `probe_text` prints. Money is decimal text, tokens times price, and not rounded.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from distillc.compiler.plan import Input, Plan, Stage
from distillc.compiler.probe import Probe
from distillc.compiler.tables.prices import BATCH_DISCOUNT
from distillc.plugins.api.artifacts import Row, lost
from distillc.plugins.registry import Registry
from distillc.runtimes.ledger import Amount, read_ledger, total
from distillc.runtimes.meter import NOTHING, Price
from distillc.runtimes.probing import NotReached
from distillc.runtimes.proof.items import DIFFERENCES, SUMMARY
from distillc.runtimes.report.probe_text import Found, sentence
from distillc.runtimes.stages.spending import price_of
from distillc.runtimes.store import Sealed, Store
from distillc.runtimes.store.rows import read_rows
from distillc.spec.errors import StageFailed

FREE = Price(NOTHING, NOTHING)
"""Of what runs here. What an API asks for is known, or is not."""


def assemble(probe: Probe, store: Store, plugins: Registry, not_reached: Mapping[str, NotReached]) -> Found:
    """Of a probe whose stages are sealed. `not_reached` are the models that were to be in it."""
    stage = probe.plan.stage(probe.source)
    [(name, summary)] = _read(store, stage, SUMMARY).items()
    differences: Mapping[str, Any] = _read(store, stage, DIFFERENCES).get(name, {})
    job, steps = job_rows(probe.plan, plugins)
    asked, by = probe.answers, probe.by
    keys = {model: one.key for model, one in asked.items()} | {model: one.key for model, one in not_reached.items()}
    ledger = {model: total(read_ledger(store.home / "runs", {key})) for model, key in keys.items()}
    found = [
        {
            "model": model,
            "metric": {key: summary[model][by][key] for key in ("value", "low", "high", "n", "failed")},
            **_answers(_rows(store, one), _price(one, model in probe.batch), job),
            "mode": "batch" if model in probe.batch else "sync",
            "seconds_per_row": ledger[model].seconds / ledger[model].answers if ledger[model].answers else None,
        }
        for model, one in asked.items()
    ]
    models = ranked(found, _apart(differences, by), higher=probe.higher)
    return {
        "by": by,
        "better": "higher" if probe.higher else "lower",
        "data": probe.data,
        "rows": models[0]["rows"],
        "job": {"steps": steps, "rows": job} if job is not None else None,
        "spent_usd": f"{sum(ledger.values(), Amount()).usd:f}",
        "says": sentence(models),
        "models": models,
        "not_reached": {model: one.error.message for model, one in not_reached.items()},
    }


def job_rows(plan: Plan, plugins: Registry) -> tuple[int | None, list[str]]:
    """How many rows the spec has a model answer at most, and in which steps; None where it says nothing of that.

    A panel's models and the stage that chooses of theirs have the same rows of the same step, which count once.
    """
    rows: dict[tuple[str, Input], int] = {}
    for stage in plan:
        teaches = stage.kind == "generate" and not stage.config.get("under_test")
        if teaches and "answers" in plugins.capabilities("generators", stage.uses or "") and stage.estimate.rows is not None:
            rows.setdefault((plan.origins[stage.id], stage.inputs["rows"]), stage.estimate.rows)
    return sum(rows.values()) if rows else None, list(dict.fromkeys(step for step, _ in rows))


def ranked(found: Sequence[Found], differences: Mapping[tuple[str, str], Mapping[str, Any]], *, higher: bool) -> list[Found]:
    """The best first, of equals the cheaper; each with what lies between it and the best, and whether it is on the front.

    `differences`: (a model, another) to the one minus the other, in one of the two directions.
    """
    sign = 1 if higher else -1

    def order(one: Found) -> tuple[bool, float, bool, Decimal]:
        value, usd = one["metric"]["value"], one["usd_per_1000"]
        return value is None, -sign * (value or 0.0), usd is None, Decimal(usd or 0)

    models = sorted(found, key=order)
    front = {one["model"] for one in models if on_front(one, models, higher=higher)}
    best = models[0]["model"]
    return [
        {
            **one,
            "difference": (apart := _difference(differences, one["model"], best)),
            "as_good": apart is not None and apart["low"] is not None and apart["low"] <= 0 <= apart["high"],
            "front": one["model"] in front,
        }
        for one in models
    ]


def on_front(one: Found, models: Sequence[Found], *, higher: bool) -> bool:
    """Whether no other is at least as good and as cheap, and better in one of the two. What has no price is not in it, and beats nobody."""
    if one["usd_per_1000"] is None or one["metric"]["value"] is None:
        return False
    sign = 1 if higher else -1

    def place(model: Found) -> tuple[float, Decimal]:
        return sign * model["metric"]["value"], -Decimal(model["usd_per_1000"])

    quality, cheapness = place(one)
    others = [place(other) for other in models if other["usd_per_1000"] is not None and other["metric"]["value"] is not None]
    return not any(q >= quality and c >= cheapness and (q, c) != (quality, cheapness) for q, c in others)


def _read(store: Store, stage: Stage, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(store.file(_sealed(store, stage), name).read_bytes())
    return found


def _rows(store: Store, stage: Stage) -> list[Row]:
    folder: Path = store.directory(_sealed(store, stage))
    return [row for path in sorted(folder.glob("*.parquet")) for row in read_rows(path)]


def _sealed(store: Store, stage: Stage) -> Sealed:
    sealed = store.sealed(stage.key)
    if sealed is None:
        raise StageFailed("it is not in the store any more", where=stage.id, help="run the command again")
    return sealed


def _price(stage: Stage, batch: bool) -> Price | None:
    engine = stage.config.get("engine") or {}
    if "price" not in engine:
        return FREE
    price = price_of(engine)
    return Price(price.input, price.output, BATCH_DISCOUNT) if price and batch else price


def _answers(rows: Sequence[Row], price: Price | None, job: int | None) -> Found:
    """What the answers took, what they cost, and what is lost of them where somebody is to learn from them."""
    read, written = (sum(row.usage.get(name, 0) for row in rows) for name in ("prompt_tokens", "completion_tokens"))
    usd = price.of(read, written) if price else None
    reasons = Counter(reason for row in rows if (reason := lost(row.finish_reason, str(row.payload["output"]))))
    return {
        "rows": len(rows),
        "lost": {"share": reasons.total() / len(rows), "reasons": dict(sorted(reasons.items()))},
        "prompt_tokens": read,
        "completion_tokens": written,
        "usd_per_1000": _decimal(usd, 1000, len(rows)),
        "usd_job": None if job is None else _decimal(usd, job, len(rows)),
    }


def _decimal(usd: Decimal | None, rows: int, of: int) -> str | None:
    return None if usd is None else f"{(usd * rows / of).normalize() + NOTHING:f}"


def _apart(differences: Mapping[str, Any], by: str) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(one, other): values[by] for one, others in differences.items() for other, values in others.items() if by in values}


def _difference(found: Mapping[tuple[str, str], Mapping[str, Any]], one: str, other: str) -> Found | None:
    """The one minus the other; None for a model and itself, and where nothing pairs."""
    if (one, other) in found:
        return {key: found[one, other][key] for key in ("value", "low", "high")}
    turned = found.get((other, one))
    if turned is None:
        return None
    signs = {key: None if turned[key] is None else -turned[key] for key in ("value", "low", "high")}
    return {"value": signs["value"], "low": signs["high"], "high": signs["low"]}
