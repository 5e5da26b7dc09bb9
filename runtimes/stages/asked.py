"""What a generate stage asks of models, shard by shard: which rows, by which engine, and what stands in journals already.

Answers are journalled as they come, so a kill loses at most a batch.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from distillc.plugins.api.artifacts import Completion, Decoding, Model, Row, Task, answer_in
from distillc.plugins.api.engines import Running, Waiting
from distillc.plugins.api.manifest import Kind
from distillc.plugins.api.metrics import Item, Metric
from distillc.runtimes.contracts import answers_each, by_port, contract_of, leased, spends, waits
from distillc.runtimes.inference.answers import AnswerJournal, answer_all, answer_each, answer_key, read_answers, row_in
from distillc.runtimes.inference.prompts import render
from distillc.runtimes.open_jobs import open_in
from distillc.runtimes.proof.drawn import drawn
from distillc.runtimes.stages.context import StageContext
from distillc.runtimes.stages.spending import Account
from distillc.runtimes.work import Contract, Shard
from distillc.spec.errors import StageFailed

SHARD_ROWS = 1000  # enough that sorting by length makes even batches, few enough that another machine can take some
REMOTE_SHARD_ROWS = 10_000  # at the end of a shard calls run out one by one, and a server has many at a time
BATCH = 32  # for engines whose config does not say


def input_rows(context: StageContext) -> list[Row]:
    """The rows that enter. `skip` and `limit` count training rows, validation and test pass whole; under test `limit` counts all."""

    def read() -> list[Row]:
        rows = context.rows("rows")
        if context.config.get("under_test"):
            return drawn(rows, context.config.get("limit"), context.seed)
        train = [row for row in rows if row.split == "train"]
        skip, limit = int(context.config.get("skip") or 0), context.config.get("limit")
        wanted = train[skip : None if limit is None else skip + int(limit)]
        return [*wanted, *(row for row in rows if row.split != "train")]

    rows: list[Row] = context.once("input", read)
    return rows


def rows_in_a_shard(context: StageContext) -> int:
    """How many rows a shard has, but for the last one."""
    if contract_of(context.stage, context.plugins) is Contract.JOB:
        return len(input_rows(context))  # an hour passes for each batch, however small
    asks_servers = spends(context.stage, context.plugins) or leased(context.stage, context.plugins)
    return REMOTE_SHARD_ROWS if asks_servers else SHARD_ROWS


def refuse_to_abandon(context: StageContext) -> None:
    """Raises StageFailed where rows would be asked that are out in a batch of an earlier run, which had another `mode`: both are paid."""
    for folder in sorted(context.work.glob("jobs-*")):
        port = folder.name.split("-", 2)[2]
        jobs = [] if waits(_engine(context, port), context.plugins) else open_in(folder)
        if jobs:
            more = f" (and {len(jobs) - 1} more)" if len(jobs) > 1 else ""
            raise StageFailed(
                f"{jobs[0]}{more} is out since an earlier run: its rows would be asked and paid twice",
                where=context.stage.id,
                help="run once more with `mode: batch`, which collects it; or `distillc cancel` gives it up, and what it has answered",
            )


def _elsewhere(context: StageContext) -> Mapping[str, Completion]:
    """Answers in the journals of other shards than their rows are in now: an earlier run cut them otherwise, for a job has one shard."""

    def read() -> dict[str, Completion]:
        size = rows_in_a_shard(context)
        shard = {row.row_id: number // size for number, row in enumerate(input_rows(context))}
        return {
            key: answer for number, path in _journals(context) for key, answer in read_answers(path) if shard.get(row_in(key)) != number
        }

    found: dict[str, Completion] = context.once("answers elsewhere", read)
    return found


def _journals(context: StageContext) -> Iterator[tuple[int, Path]]:
    """The journals of answers in the work folder, by the number of the shard that writes each."""
    return ((int(path.stem.removeprefix("answers-")), path) for path in sorted(context.work.glob("answers-*.journal")))


def _engine(context: StageContext, port: str) -> Mapping[str, Any]:
    """The engine that the compiler picked for a model."""
    found = dict(by_port(context.stage)).get(port)
    if found is None:
        raise StageFailed(
            f"no engine here reads the model of `{port}`",
            where=context.stage.id,
            help="install one: `distillc plugins` lists engines",
        )
    return found


def tell(context: StageContext, shard: Shard, done: int) -> None:
    """How far a stage is: so many rows of a shard are done."""
    context.emit("progress", done=shard.start + done, total=len(input_rows(context)), unit="rows")


class ShardContext:
    """Implements `GenerateContext` for one shard."""

    def __init__(self, stage: StageContext, shard: Shard) -> None:
        self._stage = stage
        self._shard = shard
        self._journal: AnswerJournal | None = None
        self._accounts: dict[str, Account] = {}
        self._done: dict[str, int] = {}
        self.dropped: dict[str, str] = {}
        self.lost: dict[str, Counter[str]] = {}

    @property
    def task(self) -> Task:
        return self._stage.task

    @property
    def seed(self) -> int:
        return self._stage.seed

    @property
    def decoding(self) -> Decoding:
        return self._stage.decoding

    def ports(self, field: str) -> Sequence[str]:
        several = self._stage.ports(f"{field}.")
        return sorted(several, key=lambda port: int(port.rpartition(".")[2])) or [field]

    def model(self, port: str) -> Model:
        return self._stage.model(port)

    def score(self, field: str, items: Sequence[Item]) -> Sequence[float]:
        import numpy as np

        config = self._stage.config[field]
        judge: Metric = self._stage.once(f"judge {field}", lambda: self._stage.plugin(Kind.JUDGES, config))
        if not items:
            return []
        (better,) = self._stage.manifest(Kind.JUDGES, config["uses"]).capabilities.get("values", {"": "higher"}).values()
        (values,) = judge.aggregate(judge.statistics(items), np.ones(len(items))).values()
        return list(map(float, values if better == "higher" else -values))

    def drop(self, row: Row, reason: str) -> None:
        self.dropped[row.row_id] = reason

    def lose(self, port: str, reason: str) -> None:
        self.lost.setdefault(self.model(port).info.name, Counter())[reason] += 1

    def answer(self, port: str, rows: Sequence[Row], *, top_logprobs: int = 0) -> Iterator[tuple[Row, Completion]]:
        if (given := f"answers.{port.rpartition('.')[2]}") in self._stage.ports():
            yield from ((row, self._given(given)[row.row_id]) for row in rows)
            return
        engine, plugins = _engine(self._stage, port), self._stage.plugins
        if self._journal is None:
            self._journal = AnswerJournal(self._stage.work / f"answers-{self._shard.number:05}.journal")
        journal = self._journal
        inputs = [str(row.payload["input"]) for row in rows]
        prompts = [render(self.task, text) for text in inputs]
        keys = [answer_key(port, row.row_id, prompt) for row, prompt in zip(rows, prompts, strict=True)]
        elsewhere = _elsewhere(self._stage) if answers_each(engine, plugins) else {}
        here = [index for index, key in enumerate(keys) if key not in elsewhere]
        wanted, prompts, inputs = ([of_all[index] for index in here] for of_all in (keys, prompts, inputs))
        account = self._account(port, engine, journal)
        if self._shard.stop == len(input_rows(self._stage)):
            self._tell_found(port, engine)
        jobs = self._stage.work / f"jobs-{self._shard.number:05}-{port}"
        uncollected = waits(engine, plugins) and any(jobs.glob("*.job.json"))
        if uncollected or any(key not in journal.answers for key in wanted):
            size = int(getattr(self._stage.plugin_config(Kind.ENGINES, engine["uses"], engine), "batch", BATCH))
            answer = answer_each if answers_each(engine, plugins) else answer_all
            running: Running = self._stage.once(f"engine {port}", lambda: self._stage.open(engine, port))
            account.open(running)
            if isinstance(running, Waiting):
                running.wait_in(jobs, partial(self._hear, port, len(rows)))
            decoding = replace(self.decoding, top_logprobs=top_logprobs)
            done = len(rows) - len(wanted)
            with closing(answer(running, wanted, prompts, inputs, decoding, journal, size)) as answered:
                for fresh in answered:
                    done = min(done + size, len(rows))
                    if fresh:
                        account.count(running, fresh)
                    self._tell(port, done)
                    if done < len(rows):
                        account.refuse_late(running)
        for row, key in zip(rows, keys, strict=True):
            yield row, elsewhere.get(key) or journal.answers[key]

    def _tell_found(self, port: str, engine: Mapping[str, Any]) -> None:
        """What stands in the journals of shards behind the last one, of an earlier run: it may have been killed before it told of all."""
        for number, path in _journals(self._stage):
            if number > self._shard.number:
                answers = (answer for key, answer in read_answers(path) if key.startswith(f"{port}\0"))
                Account(self._stage, replace(self._shard, number=number), self.model(port), engine, answers)

    def _given(self, port: str) -> Mapping[str, Completion]:
        """The answers of a model of a panel, which a stage of their own has asked for."""

        def read() -> dict[str, Completion]:
            return {row.row_id: answer_in(row) for row in self._stage.rows(port)}

        found: dict[str, Completion] = self._stage.once(port, read)
        return found

    def _hear(self, port: str, rows: int, event: str, **fields: Any) -> None:
        """What a job says. It knows of the rows alone that it was given, the last ones of so many."""
        if event == "progress":
            self._tell(port, rows - fields["total"] + fields["done"])
        else:
            self._stage.emit(event, **fields)

    def _tell(self, port: str, done: int) -> None:
        """So many rows are answered by a model. What a job told of before it came is not told again."""
        if done > self._done.get(port, 0):
            self._done[port] = done
            tell(self._stage, self._shard, done)

    def close(self) -> None:
        for account in self._accounts.values():
            account.close()
        if self._journal is not None:
            self._journal.close()

    def _account(self, port: str, engine: Mapping[str, Any], journal: AnswerJournal) -> Account:
        """Of a model in this shard, from the answers that it has given already."""
        if port not in self._accounts:
            answers = (answer for key, answer in journal.answers.items() if key.startswith(f"{port}\0"))
            self._accounts[port] = Account(self._stage, self._shard, self.model(port), engine, answers)
        return self._accounts[port]
