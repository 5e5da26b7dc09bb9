"""What a run leaves: the rows and models at the ends of its plan, which no table and no bundle tells of, and where they lie.

Also how far a stage came that a budget has stopped.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from distillc.cli.row_counts import in_words
from distillc.runtimes.row_counts import counts_in

if TYPE_CHECKING:
    from distillc.compiler.plan import Plan
    from distillc.runtimes.driver import Outcome
    from distillc.runtimes.store import Sealed, Store

API = "api"
"""The format of a model that lies elsewhere."""


def made(plan: "Plan", outcome: "Outcome", store: "Store") -> list[dict[str, Any]]:
    """`name`, `path` and what it is: `rows` with what became of those that came in, or `model` with its format and bytes."""
    run = [stage for stage in plan if stage.id in outcome.states]
    read = {entry.stage for stage in run for entry in stage.inputs.values()}
    ends = ((stage.id, store.sealed(stage.key)) for stage in run if stage.id not in read)
    return [{"name": name, **what, "path": _place(store, sealed)} for name, sealed in ends if sealed and (what := _what(sealed))]


def _what(sealed: "Sealed") -> dict[str, Any]:
    if counts := counts_in(sealed.meta):
        return {"rows": counts}
    info = sealed.meta.get("info")
    if not info or info["format"] == API:
        return {}
    return {"model": {"format": info["format"], "bytes": sum(file.bytes for file in sealed.files.values())}}


def _place(store: "Store", sealed: "Sealed") -> str:
    """A folder; of a store elsewhere its manifest, for nobody has asked to fetch the files."""
    return f"{store.url.rstrip('/')}/manifests/{sealed.key}" if "://" in store.url else str(store.directory(sealed))


def as_text(found: list[dict[str, Any]]) -> list[str]:
    cells = [(one["name"], in_words(one["rows"]) if "rows" in one else _model(**one["model"]), one["path"]) for one in found]
    widths = [max((len(row[column]) for row in cells), default=0) for column in range(2)]
    return [f"{name.ljust(widths[0])}  {what.ljust(widths[1])}  {path}" for name, what, path in cells]


def _model(format: str, bytes: int) -> str:
    return f"model ({format}, {bytes / 1e6:,.1f} MB)"


def stopped_at(plan: "Plan", outcome: "Outcome", store: "Store") -> Iterator[str]:
    """`answers: 33 of 40 rows are answered`, of each stage in which the budget was reached. Answers of earlier runs count."""
    from distillc.cli.status import how_far
    from distillc.runtimes.events import read_events
    from distillc.runtimes.ledger import read_ledger, total

    came = how_far(read_events(outcome.folder / "events.jsonl"))
    for stage in plan:
        if outcome.states.get(stage.id) == "stopped" and (answers := total(read_ledger(store.home / "runs", {stage.key})).answers):
            rows = came.get(stage.id, {}).get("total")
            yield f"{stage.id}: {answers:,} {f'of {rows:,} ' if rows else ''}rows are answered"
