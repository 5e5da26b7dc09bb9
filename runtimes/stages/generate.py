"""Makes rows from rows, shard by shard. Answers of models are journalled as they come, so a kill loses at most a batch."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from distillc.plugins.api.artifacts import Completion, Decoding, Model, Row, Task
from distillc.plugins.api.engines import Engine, RemoteEngine, Running, Waiting
from distillc.plugins.api.generators import Generator
from distillc.plugins.api.manifest import Kind
from distillc.runtimes.contracts import contract_of, is_remote, spends
from distillc.runtimes.inference.answers import AnswerJournal, answer_all, answer_each, answer_key
from distillc.runtimes.inference.prompts import render
from distillc.runtimes.stages.context import StageContext
from distillc.runtimes.stages.shards import cut
from distillc.runtimes.stages.spending import Account
from distillc.runtimes.store.rows import read_rows, write_artifact, write_rows
from distillc.runtimes.work import Contract, Shard
from distillc.spec.errors import StageFailed

ROWS = "rows.parquet"
SHARD_ROWS = 1000  # enough that sorting by length makes even batches, few enough that another machine can take some
REMOTE_SHARD_ROWS = 10_000  # at the end of a shard calls run out one by one, and an API has many at a time
BATCH = 32  # for engines whose config does not say


def shards(context: StageContext) -> tuple[Shard, ...]:
    rows = _input(context)
    if not rows:
        raise StageFailed(
            "no row comes in: the data set is empty", where=context.stage.id, help="check `limit`, `skip` and the step it comes from"
        )
    if contract_of(context.stage, context.plugins) is Contract.JOB:
        return cut(rows, len(rows))  # an hour passes for each batch, however small
    return cut(rows, REMOTE_SHARD_ROWS if spends(context.stage, context.plugins) else SHARD_ROWS)


def run_shard(context: StageContext, shard: Shard, out: Path) -> dict[str, Any]:
    rows = _input(context)[shard.start : shard.stop]
    generator: Generator = context.once("generator", lambda: context.plugin(Kind.GENERATORS))
    with_answers = _Context(context, shard)
    try:
        made = list(generator.generate(rows, with_answers))
    finally:
        with_answers.close()
    _check(context, rows, made, with_answers.dropped)
    write_rows(out / ROWS, made)
    reasons = Counter(with_answers.dropped.values())
    context.emit("progress", done=shard.stop, total=len(_input(context)), unit="rows")
    return {"kept": len(made), "dropped": dict(sorted(reasons.items()))}


def collect(context: StageContext, parts: Sequence[tuple[Path, Mapping[str, Any]]]) -> dict[str, Any]:
    dropped: Counter[str] = Counter()
    for _, counts in parts:
        dropped.update(counts["dropped"])
    rows = write_artifact(context.out, (row for folder, _ in parts for row in read_rows(folder / ROWS)))
    kept = sum(rows.values())
    if not kept:
        reasons = ", ".join(f"{reason} {n}" for reason, n in sorted(dropped.items()))
        cut_off = "raise `max_tokens`, or give the step `truncated: keep`: the model never ends its answers"
        raise StageFailed(
            f"'{context.stage.uses}' dropped every row: {reasons}",
            where=context.stage.id,
            help=cut_off if set(dropped) == {"truncated"} else "look at a few of its inputs",
        )
    if dropped:
        context.emit("rows dropped", reasons=dict(sorted(dropped.items())))
    return {"rows": rows, "generated": kept + dropped.total(), "kept": kept, "dropped": dict(sorted(dropped.items()))}


def _input(context: StageContext) -> list[Row]:
    """The rows that enter. `skip` and `limit` count training rows; validation and test pass whole."""

    def read() -> list[Row]:
        rows = context.rows("rows")
        train = [row for row in rows if row.split == "train"]
        skip, limit = int(context.config.get("skip") or 0), context.config.get("limit")
        wanted = train[skip : None if limit is None else skip + int(limit)]
        return [*wanted, *(row for row in rows if row.split != "train")]

    rows: list[Row] = context.once("input", read)
    return rows


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


class _Context:
    """Implements `GenerateContext` for one shard."""

    def __init__(self, stage: StageContext, shard: Shard) -> None:
        self._stage = stage
        self._shard = shard
        self._journal: AnswerJournal | None = None
        self._accounts: dict[str, Account] = {}
        self.dropped: dict[str, str] = {}

    @property
    def task(self) -> Task:
        return self._stage.task

    @property
    def seed(self) -> int:
        return self._stage.seed

    @property
    def decoding(self) -> Decoding:
        return self._stage.decoding

    def model(self, field: str) -> Model:
        return self._stage.model(field)

    def drop(self, row: Row, reason: str) -> None:
        self.dropped[row.row_id] = reason

    def answer(self, field: str, rows: Sequence[Row]) -> Iterator[tuple[Row, Completion]]:
        engine = self._engine(field)
        if self._journal is None:
            self._journal = AnswerJournal(self._stage.work / f"answers-{self._shard.number:05}.journal")
        inputs = [str(row.payload["input"]) for row in rows]
        prompts = [render(self.task, text) for text in inputs]
        keys = [answer_key(field, row.row_id, prompt) for row, prompt in zip(rows, prompts, strict=True)]
        account = self._account(field, engine, self._journal)
        if any(key not in self._journal.answers for key in keys):
            size = int(getattr(self._stage.plugin_config(Kind.ENGINES, engine["uses"], engine), "batch", BATCH))
            answer = answer_each if is_remote(engine, self._stage.plugins) else answer_all
            running: Running = self._stage.once(f"engine {field}", lambda: self._open(field, engine))
            done, total = self._shard.start, self._total()
            account.open(running)
            if isinstance(running, Waiting):
                running.wait_in(self._stage.work / f"jobs-{self._shard.number:05}-{field}", self._stage.emit)
            for fresh in answer(running, keys, prompts, inputs, self.decoding, self._journal, size):
                done = min(done + size, self._shard.stop)
                if fresh:
                    account.count(running, fresh)
                self._stage.emit("progress", done=done, total=total, unit="rows")
                if done < self._shard.stop:
                    account.refuse_late(running)
        for row, key in zip(rows, keys, strict=True):
            yield row, self._journal.answers[key]

    def close(self) -> None:
        for account in self._accounts.values():
            account.tell()
        if self._journal is not None:
            self._journal.close()

    def _account(self, field: str, engine: Mapping[str, Any], journal: AnswerJournal) -> Account:
        """Of a model in this shard, from the answers that it has given already."""
        if field not in self._accounts:
            answers = (answer for key, answer in journal.answers.items() if key.startswith(f"{field}\0"))
            self._accounts[field] = Account(self._stage, self._shard, self.model(field), engine, answers)
        return self._accounts[field]

    def _engine(self, field: str) -> Mapping[str, Any]:
        """The engine that the compiler picked for a model: `engine` for the only one, `engines` by port for several."""
        config = self._stage.config
        found = (config.get("engines") or {}).get(field) or config.get("engine")
        if not found:
            raise StageFailed(
                f"no engine here reads the model of `{field}`",
                where=self._stage.stage.id,
                help="install one: `distillc plugins` lists engines",
            )
        return {"uses": found} if isinstance(found, str) else found

    def _open(self, field: str, engine: Mapping[str, Any]) -> Running:
        made, model = self._stage.plugin(Kind.ENGINES, engine), self.model(field)
        if is_remote(engine, self._stage.plugins):
            return cast(RemoteEngine, made).open(model, seed=self.seed, folder=self._stage.folder)
        return cast(Engine, made).open(model, seed=self.seed)

    def _total(self) -> int:
        return len(_input(self._stage))
