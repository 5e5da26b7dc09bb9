"""What a probe found: models ranked by quality, what each costs, which of them no other beats in both, and a sentence that says so.

Plain data (`distillc probe --format json`), as text by `render`. Money is decimal text, tokens times price; nothing of it is rounded but
what is printed.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from distillc.compiler.plan import Plan, Stage
from distillc.compiler.tables.prices import BATCH_DISCOUNT
from distillc.plugins.api.artifacts import Row, lost
from distillc.runtimes.ledger import Amount, read_ledger, total
from distillc.runtimes.proof.items import DIFFERENCES, SUMMARY
from distillc.runtimes.meter import NOTHING, Price
from distillc.runtimes.report import figures
from distillc.runtimes.report.table import WIDTH, grid
from distillc.runtimes.stages.spending import price_of
from distillc.runtimes.store import Sealed, Store
from distillc.runtimes.store.rows import read_rows
from distillc.spec.errors import StageFailed

Found = dict[str, Any]
FREE = Price(NOTHING, NOTHING)
"""Of what runs here. What an API asks for is known, or is not."""
_PARTS = ("half", "a third", "a quarter", "a fifth", "a sixth", "a seventh", "an eighth", "a ninth", "a tenth")


def assemble(
    plan: Plan, store: Store, source: str, by: str, *, higher: bool, models: Sequence[str], data: str, batch: Sequence[str]
) -> Found:
    """`source` is the stage that has the values of `by`; `batch` the models whose price is to be that of batches."""
    stage = plan.stage(source)
    [(name, summary)] = _read(store, stage, SUMMARY).items()
    differences: Mapping[str, Any] = _read(store, stage, DIFFERENCES).get(name, {})
    job, steps = job_rows(plan)
    asked = {model: plan.stage(stage.inputs[f"answers.{model}.{name}"].stage) for model in models}
    ledger = {model: total(read_ledger(store.home / "runs", {one.key})) for model, one in asked.items()}
    found = [
        {
            "model": model,
            "metric": {key: summary[model][by][key] for key in ("value", "low", "high", "n", "failed")},
            **_answers(_rows(store, one), _price(one, model in batch), job),
            "mode": "batch" if model in batch else "sync",
            "seconds_per_row": ledger[model].seconds / ledger[model].answers if ledger[model].answers else None,
        }
        for model, one in asked.items()
    ]
    models_found = ranked(found, _apart(differences, by), higher=higher)
    return {
        "by": by,
        "better": "higher" if higher else "lower",
        "data": data,
        "rows": models_found[0]["rows"],
        "job": {"steps": steps, "rows": job} if job is not None else None,
        "spent_usd": f"{sum(ledger.values(), Amount()).usd:f}",
        "models": models_found,
        "says": sentence(models_found),
    }


def job_rows(plan: Plan) -> tuple[int | None, list[str]]:
    """How many rows the spec has a model answer at most, and in which steps; None where it says nothing of that."""
    stages = [stage for stage in plan if stage.uses == "answer" and not stage.config.get("under_test") and stage.estimate.rows is not None]
    if not stages:
        return None, []
    return sum(stage.estimate.rows or 0 for stage in stages), list(dict.fromkeys(plan.origins[stage.id] for stage in stages))


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


def sentence(models: Sequence[Found]) -> str:
    """What the table says; `models` are ranked."""
    best, *others = models
    if best["metric"]["value"] is None:
        return "none has an answer with a value to choose by."
    rows = f"on {best['metric']['n']} rows"
    if not others:
        return f"`{best['model']}` has {figures.interval(best['metric'])} {rows}; there is none to compare it with."
    if all(one["difference"] and set(one["difference"].values()) == {0} for one in others):
        usd = [one["usd_per_1000"] and Decimal(one["usd_per_1000"]) for one in models]
        also = f"; `{best['model']}` is the cheapest" if None not in usd and usd[0] < min(usd[1:]) else ""
        return f"All {len(models)} have {figures.interval(best['metric'])} {rows}, which do not tell them apart{also}."
    as_good = [one for one in others if one["as_good"]]
    if best["usd_per_1000"] is None:
        if not as_good:
            return f"`{best['model']}` is the best {rows}, and has no price."
        return f"`{best['model']}` is the best {rows}, and has no price; as good as that {_are(as_good)}."
    priced = [one for one in models if one["usd_per_1000"] is not None]
    cheapest = min(priced, key=lambda one: Decimal(one["usd_per_1000"]))
    dearer = Decimal(best["usd_per_1000"])
    good = [one for one in as_good if one["usd_per_1000"] is not None and Decimal(one["usd_per_1000"]) < dearer]
    if good:
        pick = min(good, key=lambda one: Decimal(one["usd_per_1000"]))
        share = part_of(Decimal(pick["usd_per_1000"]), dearer)
        return f"`{pick['model']}` is as good as the best, `{best['model']}`, {rows} ({_gap(pick)}), {share}."
    if cheapest is best:
        also = f", and no worse {_are(as_good)}" if as_good else ""
        return f"`{best['model']}` is the best {rows}{also}, and {'none is cheaper' if len(priced) > 1 else 'the only one with a price'}."
    cheaper = [one for one in priced if Decimal(one["usd_per_1000"]) < dearer]
    nearest, share = cheaper[0], part_of(Decimal(cheaper[0]["usd_per_1000"]), dearer)
    if any(one["difference"] is None or one["difference"]["low"] is None for one in cheaper):  # too few pairs to say so of all
        return f"`{best['model']}` is the best {rows}; `{nearest['model']}` comes next, {share}."
    return f"`{best['model']}` is better {rows} than all that cost less; `{nearest['model']}` comes next ({_gap(nearest)}), {share}."


def part_of(price: Decimal, whole: Decimal) -> str:
    """`at a sixth of the price`, where that is true to a tenth; else in percent."""
    share = Fraction(price) / Fraction(whole)
    if not share:
        return "for nothing"
    off, near = min((abs(share * parts - 1), word) for parts, word in enumerate(_PARTS, start=2))
    if off <= Fraction(1, 10):
        return f"at {near} {'' if near == 'half' else 'of '}the price"
    percent = float(share * 100)
    return f"at {percent:.0f} % of the price" if percent >= 1 else "at less than 1 % of the price"


def render(found: Found, width: int = WIDTH) -> str:
    """A table of at most `width` columns (folded where it does not fit), and the sentence as its last line."""
    models = found["models"]
    job = found["job"]
    head = ["model", "", found["by"], "to the best", "lost", "tokens in", "out", "$/1,000", *(["$ job"] if job else []), "s/row"]
    body = [
        [
            one["model"],
            "*" if one["front"] else "",
            figures.interval(one["metric"]),
            _gap(one) if number else "",
            f"{one['lost']['share'] * 100:.0f} %",
            figures.rate(one["prompt_tokens"] / one["rows"]),
            figures.rate(one["completion_tokens"] / one["rows"]),
            _money(one["usd_per_1000"]),
            *([_money(one["usd_job"])] if job else []),
            f"{one['seconds_per_row']:.2f}" if one["seconds_per_row"] is not None else figures.MISSING,
        ]
        for number, one in enumerate(models)
    ]
    notes = [f"spent on these answers so far: {_money(found['spent_usd'])}"]
    if job:
        notes.append(f"the job: {job['rows']:,} rows of {', '.join(job['steps'])} at most")
    if losing := [one for one in models if one["lost"]["reasons"]]:
        notes.append(f"lost to a student: {'; '.join(map(_losses, losing))}")
    if batch := [one["model"] for one in models if one["mode"] == "batch"]:
        notes.append(f"{', '.join(batch)} priced in batches, as the spec has it, and asked at once")
    about = [f"{found['rows']} rows of {found['data']}", "95 % intervals in brackets", "* no other is better and cheaper"]
    lines = [*map(figures.printable, (" · ".join(about), "")), *grid(head, body, width), ""]
    return "\n".join([*lines, *map(figures.printable, (*notes, found["says"]))]) + "\n"


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


def _gap(one: Found) -> str:
    apart = one["difference"]
    if apart is None:
        return figures.MISSING
    return f"{figures.signed(apart['value'])} [{figures.signed(apart['low'])}, {figures.signed(apart['high'])}]"


def _are(models: Sequence[Found]) -> str:
    names = [f"`{one['model']}`" for one in models]
    return f"is {names[0]}" if len(names) == 1 else f"are {', '.join(names[:-1])} and {names[-1]}"


def _losses(one: Found) -> str:
    return f"{one['model']} {', '.join(f'{n} {reason}' for reason, n in one['lost']['reasons'].items())}"


def _money(usd: str | None) -> str:
    """Three digits that count: `$1.24`, `$0.0312`."""
    if usd is None:
        return "no price"
    amount = Decimal(usd)
    if not amount:
        return "$0"
    digits = max(2, 2 - amount.adjusted())
    return f"${amount:,.{digits}f}"
