"""`distillc cost [RUN]`: what the stages of a run have cost, in all runs that worked on them, against the plan. By default the newest."""

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from distillc.cli import which_run

if TYPE_CHECKING:
    from decimal import Decimal

    from distillc.runtimes.ledger import Amount, Row

NO_MODEL = "(no model)"
COLUMNS = ("answers", "calls", "tokens in", "tokens out", "trained", "seconds", "money")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which_run.add_arguments(parser)
    parser.add_argument("--by", choices=("stage", "model"), default="stage", help="what is added up (default: stage)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how it is printed")


def run(args: argparse.Namespace) -> int:
    from distillc.runtimes.events import read_events
    from distillc.runtimes.ledger import read_ledger

    home, found, states, _ = which_run.find(args)
    stages = {stage.key: stage.id for stage in states}
    rows = read_ledger(home / "runs", stages)
    begun = next((event for event in read_events(home / "runs" / found.id / "events.jsonl") if event["event"] == "run started"), {})
    estimates: Mapping[str, Any] = begun.get("estimates") or {}
    if args.by == "model":
        estimates = estimates_by_model(estimates.values())
    sums = by_stage(rows, stages) if args.by == "stage" else by_model(rows)
    if args.format == "json":
        print(json.dumps(as_json(found.id, args.by, sums, rows, estimates, begun.get("budget") or {}), indent=1, ensure_ascii=False))
    else:
        print("\n".join(as_text(found.id, args.by, sums, rows, estimates, begun.get("budget") or {})))
    return 0


def by_stage(rows: "Iterable[Row]", stages: Mapping[str, str]) -> "dict[str, Amount]":
    """In the order of the plan, under the names that stages have in it; `stages` maps a key to a name."""
    from distillc.runtimes.ledger import total

    of = {key: [row for row in rows if row.key == key] for key in stages}
    return {stages[key]: total(found) for key, found in of.items() if found}


def by_model(rows: "Iterable[Row]") -> "dict[str, Amount]":
    from distillc.runtimes.ledger import Amount

    sums: dict[str, Amount] = {}
    for row in rows:
        name = row.model or NO_MODEL
        sums[name] = sums.get(name, Amount()) + row.amount
    return sums


def estimates_by_model(estimates: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What each model of an API is asked, or trained on, in all stages. Money is left out where a stage does not know it."""
    from decimal import Decimal

    sums: dict[str, dict[str, Any]] = {}
    for estimate in estimates:
        for model, part in (estimate.get("models") or {}).items():
            whole = sums.setdefault(model, {})
            for name in ("rows", "tokens", "prompt_tokens", "trained_tokens"):
                if part.get(name) is not None:
                    whole[name] = whole.get(name, 0) + part[name]
            if "usd" in part:
                known = None not in (part["usd"], whole.get("usd", "0"))
                whole["usd"] = f"{Decimal(whole.get('usd', '0')) + Decimal(part['usd']):f}" if known else None
                whole["uncounted"] = whole.get("uncounted") or estimate.get("uncounted")
    return sums


def as_text(
    run: str, by: str, sums: "Mapping[str, Amount]", rows: "Sequence[Row]", estimates: Mapping[str, Any], budget: Mapping[str, Any]
) -> list[str]:
    """A line a sum and one for all of them. Money is written in full, so that what stands in the lines adds up to what stands below."""
    from distillc.runtimes.ledger import Amount, elsewhere

    whole = sum(sums.values(), Amount())
    table: list[tuple[str, ...]] = [(by, *COLUMNS, "planned" if estimates else "")]
    table += [(name, *_cells(amount), _planned(estimates.get(name, {}))) for name, amount in sums.items()]
    unpriced = dict.fromkeys(row.model for row in rows if row.amount.unpriced and row.model)
    table.append(("total", *_cells(whole), f"without {', '.join(unpriced)}" if unpriced else ""))
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = [run]
    for row in table:
        first, *rest = (cell.ljust(width) if not i else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        lines.append("  ".join(["", first, *rest]).rstrip())
    if whole.lost:
        lines.append(_lost(whole))
    return [*lines, *_left(whole, elsewhere(rows), budget)]


def _left(whole: "Amount", paid: "Amount", budget: Mapping[str, Any]) -> Iterator[str]:
    """What each limit leaves. `paid`: what other machines did, whose calls and tokens alone are limited."""
    from decimal import Decimal

    from distillc.spec.money import dollars

    if "usd" in budget:
        limit = Decimal(budget["usd"])
        yield f"{dollars(max(limit - whole.usd, Decimal(0)))} of the budget of {dollars(limit)} are left"
    for name, spent in (("calls", paid.calls), ("tokens", paid.tokens)):
        if name in budget:
            yield f"{max(budget[name] - spent, 0):,} of {budget[name]:,} {name} are left"


def _lost(whole: "Amount") -> str:
    from distillc.spec.money import dollars

    calls = f"{whole.lost:,} call{'s' * (whole.lost != 1)} of these gave no answer and may be billed"
    return (
        f"{calls}; counted at the most, {dollars(whole.lost_usd)}" if whole.lost_usd else f"{calls}; their tokens are counted at the most"
    )


def _cells(amount: "Amount") -> tuple[str, ...]:
    counts = (amount.answers, amount.calls, amount.prompt_tokens, amount.completion_tokens, amount.trained_tokens)
    return (*(f"{count:,}" if count else "" for count in counts), f"{amount.seconds:,.1f}", _money(amount))


def _money(amount: "Amount") -> str:
    from distillc.spec.money import dollars

    if not amount.usd:
        return "no price" if amount.unpriced else ""
    return f"{'≥ ' if amount.unpriced else ''}{dollars(amount.usd)}"


def _planned(estimate: Mapping[str, Any]) -> str:
    """What it was to yield at most, and what it was to take about: `≤ 20 rows, 1,280 tokens out; about 29,178 in, $0.0305`."""
    from decimal import Decimal

    from distillc.spec.money import roughly

    def counts(*names: tuple[str, str]) -> list[str]:
        return [f"{estimate[name]:,} {what}" for name, what in names if estimate.get(name) is not None]

    most = counts(("rows", "rows"), ("tokens", "tokens out"))
    about = counts(("prompt_tokens", "in"), ("trained_tokens", "trained"))
    if estimate.get("usd") is not None:
        about.append(roughly(Decimal(estimate["usd"])))
    without = f" without {estimate['uncounted']}" if about and estimate.get("uncounted") else ""
    return "; ".join([*([f"≤ {', '.join(most)}"] if most else []), *([f"about {', '.join(about)}{without}"] if about else [])])


def as_json(
    run: str, by: str, sums: "Mapping[str, Amount]", rows: "Iterable[Row]", estimates: Mapping[str, Any], budget: Mapping[str, Any]
) -> dict[str, Any]:
    """Money as decimal text, for a float is not exact, and null where nobody says a price; sums have what is known, see `unpriced`."""
    from distillc.runtimes.ledger import Amount

    return {
        "run": run,
        "by": by,
        "sums": [
            {by: None if name == NO_MODEL else name, **_plain(amount), "estimate": estimates.get(name)} for name, amount in sums.items()
        ],
        "total": _plain(sum(sums.values(), Amount())),
        "budget": budget,
        "rows": [
            {
                "stage": row.stage,
                "key": row.key,
                "kind": row.kind,
                "shard": row.shard,
                "model": row.model,
                **_plain(row.amount),
                "prices": row.prices,
                "actor": row.actor,
                "key_name": row.key_name,
            }
            for row in rows
        ],
    }


def _plain(amount: "Amount") -> dict[str, Any]:
    from dataclasses import asdict

    def money(usd: "Decimal") -> str | None:
        return f"{usd:f}" if amount.usd or not amount.unpriced else None

    return {**asdict(amount), "seconds": round(amount.seconds, 3), "usd": money(amount.usd), "lost_usd": money(amount.lost_usd)}
