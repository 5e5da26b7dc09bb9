"""Makes rows from rows, shard by shard. What models have to say to that is asked for in `asked.py`."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from distillc.plugins.api.artifacts import Row
from distillc.plugins.api.generators import Generator
from distillc.plugins.api.manifest import Kind
from distillc.runtimes.stages.asked import ShardContext, input_rows, refuse_to_abandon, rows_in_a_shard, tell
from distillc.runtimes.stages.context import StageContext
from distillc.runtimes.stages.shards import cut
from distillc.runtimes.store.rows import read_rows, write_artifact, write_rows
from distillc.runtimes.work import Shard
from distillc.spec.errors import StageFailed

ROWS = "rows.parquet"
WAYS_OUT = {
    "truncated": "raise `max_tokens`, or give the step `truncated: keep`: the model never ends its answers",
    "broken": "most often thoughts without an end: raise `max_tokens`, or take out a `stop` that thoughts have too, as a line break",
    "too long": "the model reads less than prompt and `max_tokens` together: set fewer, or take one that reads more",
    "disagreement": "answer at temperature 0, or ask for fewer votes with `agree`: no two models say the same",
    "unclear tokens": "the tokens that the API tells do not spell its answers: ask a server that tells their `bytes`, or no `top_logprobs`",
}
"""Where every row was dropped for one reason."""


def shards(context: StageContext) -> tuple[Shard, ...]:
    rows = input_rows(context)
    if not rows:
        raise StageFailed(
            "no row comes in: the data set is empty", where=context.stage.id, help="check `limit`, `skip` and the step it comes from"
        )
    refuse_to_abandon(context)
    return cut(rows, rows_in_a_shard(context))


def run_shard(context: StageContext, shard: Shard, out: Path) -> dict[str, Any]:
    rows = input_rows(context)[shard.start : shard.stop]
    generator: Generator = context.once("generator", lambda: context.plugin(Kind.GENERATORS))
    with_answers = ShardContext(context, shard)
    tell(context, shard, 0)
    try:
        made = list(generator.generate(rows, with_answers))
    finally:
        with_answers.close()
    _check(context, rows, made, with_answers.dropped)
    write_rows(out / ROWS, made)
    reasons = Counter(with_answers.dropped.values())
    tell(context, shard, len(rows))
    return {"kept": len(made), "dropped": dict(sorted(reasons.items())), "lost": with_answers.lost}


def collect(context: StageContext, parts: Sequence[tuple[Path, Mapping[str, Any]]]) -> dict[str, Any]:
    dropped: Counter[str] = Counter()
    lost: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for _, counts in parts:
        dropped.update(counts["dropped"])
        for model, reasons in counts.get("lost", {}).items():
            lost[model].update(reasons)
    rows = write_artifact(context.out, (row for folder, _ in parts for row in read_rows(folder / ROWS)))
    kept = sum(rows.values())
    if not kept:
        reasons = ", ".join(f"{reason} {n}" for reason, n in sorted(dropped.items()))
        raise StageFailed(
            f"'{context.stage.uses}' dropped every row: {reasons}",
            where=context.stage.id,
            help=(len(dropped) == 1 and WAYS_OUT.get(next(iter(dropped)))) or "look at a few of its inputs",
        )
    if dropped:
        context.emit("rows dropped", reasons=dict(sorted(dropped.items())))
    meta = {"rows": rows, "generated": kept + dropped.total(), "kept": kept, "dropped": dict(sorted(dropped.items()))}
    if lost:
        meta["lost"] = {model: dict(sorted(reasons.items())) for model, reasons in lost.items()}
        context.emit("answers lost", models=meta["lost"], of=meta["generated"])
    return meta


def _check(context: StageContext, rows: Sequence[Row], made: Sequence[Row], dropped: Mapping[str, str]) -> None:
    """Every input row is the parent of an output row or dropped with a reason, and no row changes its split."""
    splits = {row.row_id: row.split for row in rows}
    parents = {parent for row in made for parent in row.parents}
    lost = [row_id for row_id in splits if row_id not in parents and row_id not in dropped]
    if lost:
        raise StageFailed(
            f"generator '{context.stage.uses}' lost {len(lost)} of {len(rows)} rows (the first: {lost[0]})",
            where=context.stage.id,
            help="a generator must name each input row as a parent, or drop it with a reason: this is a fault of the plugin",
        )
    for row in made:
        if any(splits.get(parent, row.split) != row.split for parent in row.parents):
            raise StageFailed(
                f"generator '{context.stage.uses}' moved row {row.row_id} into split '{row.split}'",
                where=context.stage.id,
                help="a row keeps the split of its parents: this is a fault of the plugin",
            )
