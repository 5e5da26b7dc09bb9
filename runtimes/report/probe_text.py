"""What a probe found, in words: a table, and the sentence that it comes to."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from distillc.runtimes.report import figures
from distillc.runtimes.report.table import WIDTH, grid

Found = dict[str, Any]
_PARTS = ("half", "a third", "a quarter", "a fifth", "a sixth", "a seventh", "an eighth", "a ninth", "a tenth")


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
    body += [[name, "", "not reached", *[""] * (len(head) - 3)] for name in found["not_reached"]]
    notes = [f"{name} was not reached: {reason}" for name, reason in found["not_reached"].items()]
    notes.append(f"spent on these answers so far: {_money(found['spent_usd'])}")
    if job:
        notes.append(f"the job: {job['rows']:,} rows of {', '.join(job['steps'])} at most")
    if losing := [one for one in models if one["lost"]["reasons"]]:
        notes.append(f"lost to a student: {'; '.join(map(_losses, losing))}")
    if batch := [one["model"] for one in models if one["mode"] == "batch"]:
        notes.append(f"asked at once, and priced in batches as the spec has it: {', '.join(batch)}")
    about = [f"{found['rows']} rows of {found['data']}", "95 % intervals in brackets", "* no other is both better and cheaper"]
    lines = [*map(figures.printable, (" · ".join(about), "")), *grid(head, body, width), ""]
    return "\n".join([*lines, *map(figures.printable, (*notes, found["says"]))]) + "\n"


def sentence(models: Sequence[Found]) -> str:
    """What the table says; `models` are ranked."""
    best, *others = models
    if best["metric"]["value"] is None:
        return "No answer has a value to choose by."
    rows = f"on {best['metric']['n']} rows"
    if not others:
        return f"`{best['model']}` has {figures.interval(best['metric'])} {rows}; there is no other to compare it with."
    if all(one["difference"] and set(one["difference"].values()) == {0} for one in others):
        usd = [one["usd_per_1000"] and Decimal(one["usd_per_1000"]) for one in models]
        every, least = ("Both", "cheaper") if len(models) == 2 else (f"All {len(models)}", "cheapest")
        also = f"; `{best['model']}` is the {least}" if None not in usd and usd[0] < min(usd[1:]) else ""
        return f"{every} have {figures.interval(best['metric'])} {rows}, which do not tell them apart{also}."
    as_good = [one for one in others if one["as_good"]]
    too = f"; {_are(as_good)} as good" if as_good else ""
    if best["usd_per_1000"] is None:
        return f"`{best['model']}` is the best {rows} and has no price{too}."
    priced = [one for one in models if one["usd_per_1000"] is not None]
    cheapest = min(priced, key=lambda one: Decimal(one["usd_per_1000"]))
    dearer = Decimal(best["usd_per_1000"])
    good = [one for one in as_good if one["usd_per_1000"] is not None and Decimal(one["usd_per_1000"]) < dearer]
    if good:
        pick = min(good, key=lambda one: Decimal(one["usd_per_1000"]))
        share = part_of(Decimal(pick["usd_per_1000"]), dearer)
        return f"`{pick['model']}` is as good as the best, `{best['model']}`, {rows} ({_gap(pick)}), {share}."
    if cheapest is best:
        why = "none is cheaper" if len(priced) > 1 else "the only one with a price"
        return f"`{best['model']}` is the best {rows}, and {why}{too}."
    cheaper = [one for one in priced if Decimal(one["usd_per_1000"]) < dearer]
    nearest, share = cheaper[0], part_of(Decimal(cheaper[0]["usd_per_1000"]), dearer)
    if any(one["difference"] is None or one["difference"]["low"] is None for one in cheaper):  # too few pairs to say so of all
        return f"`{best['model']}` is the best {rows}; of those that cost less, `{nearest['model']}` is the best, {share}."
    if len(cheaper) == 1:
        return f"`{best['model']}` is better {rows} than `{nearest['model']}` ({_gap(nearest)}), which comes {share}."
    than = f"than all that cost less; the best of those is `{nearest['model']}`"
    return f"`{best['model']}` is better {rows} {than} ({_gap(nearest)}), {share}."


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


def _gap(one: Found) -> str:
    apart = one["difference"]
    if apart is None:
        return figures.MISSING
    return f"{figures.signed(apart['value'])} [{figures.signed(apart['low'])}, {figures.signed(apart['high'])}]"


def _are(models: Sequence[Found]) -> str:
    names = [f"`{one['model']}`" for one in models]
    return f"{names[0]} is" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} are"


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
