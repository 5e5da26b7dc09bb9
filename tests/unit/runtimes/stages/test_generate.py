"""Generation: answers in the order of the rows, batches that a kill does not change, nothing lost and nothing twice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from distillc.compiler.plan import Input, Stage
from distillc.plugins.api.artifacts import Completion, Decoding, Row
from distillc.plugins.api.manifest import Kind, Manifest
from distillc.runtimes.stages import asked, generate
from distillc.runtimes.stages.context import Artifact, StageContext
from distillc.runtimes.stages.shards import digest
from distillc.runtimes.store.rows import read_rows, write_artifact, write_rows
from distillc.spec.errors import StageFailed
from tests.unit.runtimes.small_plan import TASK, Echo, FakePlugins, Paid, PaidConfig

TEXTS = ["dddd", "a", "ccc", "bb", "eeeee"]


@pytest.fixture(autouse=True)
def fresh_engine() -> Iterator[None]:
    Echo.asked, Echo.break_after = [], None
    yield
    Echo.asked, Echo.break_after = [], None


def context(folder: Path, **config: Any) -> StageContext:
    rows = folder / "rows"
    if not rows.exists():
        rows.mkdir()
        write_artifact(rows, [Row(row_id=f"r{i}", payload={"input": text}, source="s") for i, text in enumerate(TEXTS)])
    info = {"format": "echo", "name": "teacher"}
    config = {"model": "teacher", "engine": {"uses": "echo", "batch": 2}, "task": TASK, "seed": 0, "decoding": {"max_tokens": 4}, **config}
    stage = Stage("answers", "generate", "ask", config, {"rows": Input("pairs"), "model": Input("teacher")}, "k")
    for name in ("out", "work", "shard"):
        (folder / name).mkdir(exist_ok=True)
    artifacts = {"rows": Artifact(rows), "model": Artifact(folder, {"info": info})}
    return StageContext(stage=stage, folder=folder, out=folder / "out", work=folder / "work", artifacts=artifacts, plugins=FakePlugins())


def answered(folder: Path) -> list[tuple[str, str]]:
    return [(row.row_id, row.payload["target"]) for row in read_rows(folder / "shard" / generate.ROWS)]


def test_answers_come_in_the_order_of_the_rows_though_batches_are_by_length(tmp_path: Path) -> None:
    stage = context(tmp_path)
    (shard,) = generate.shards(stage)
    assert generate.run_shard(stage, shard, tmp_path / "shard") == {"kept": 5, "dropped": {}, "lost": {}}
    assert Echo.asked == [["a ->", "bb ->"], ["ccc ->", "dddd ->"], ["eeeee ->"]]
    assert [row_id for row_id, _ in answered(tmp_path)] == ["ar0", "ar1", "ar2", "ar3", "ar4"]
    assert dict(answered(tmp_path))["ar4"] == "eeeee -> of 1"


@pytest.mark.parametrize("killed_after", range(5))
def test_a_kill_costs_the_batch_in_flight_and_changes_no_byte(tmp_path: Path, killed_after: int) -> None:
    for name in ("killed", "unkilled"):
        (tmp_path / name).mkdir()
    stage = context(tmp_path / "unkilled")
    (shard,) = generate.shards(stage)
    generate.run_shard(stage, shard, tmp_path / "unkilled" / "shard")
    Echo.asked, Echo.break_after = [], killed_after
    with pytest.raises(KeyboardInterrupt):
        generate.run_shard(context(tmp_path / "killed"), shard, tmp_path / "killed" / "shard")
    Echo.asked, Echo.break_after = [], None
    generate.run_shard(context(tmp_path / "killed"), shard, tmp_path / "killed" / "shard")
    finished_batches = killed_after // 2
    assert sum(map(len, Echo.asked)) == 5 - 2 * finished_batches
    one, other = (tmp_path / name / "shard" / generate.ROWS for name in ("killed", "unkilled"))
    assert one.read_bytes() == other.read_bytes()


class ByApi(FakePlugins):
    """Engine `paid` is an API's: with `mode: batch` it is a job, whose rows are one shard."""

    def manifest(self, kind: str, name: str) -> Manifest:
        capabilities = {"remote": True, "job": {"mode": "batch"}} if name == "paid" else {}
        return Manifest(kind=Kind(kind), name=name, summary="", config="", impl="", capabilities=capabilities)


@pytest.mark.parametrize("modes", [("sync", "batch"), ("batch", "sync")])
def test_in_another_mode_shards_are_others_and_no_row_is_asked_again_or_forgotten_in_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, modes: tuple[str, str]
) -> None:
    monkeypatch.setattr(asked, "REMOTE_SHARD_ROWS", 2)
    monkeypatch.setattr(Paid, "calls", [])
    shards = {"sync": [(0, 2), (2, 4), (4, 5)], "batch": [(0, 5)]}
    told: list[dict[str, Any]] = []
    for mode in modes:
        told = []
        emit = partial(lambda told, event, **fields: told.append({"event": event, **fields}), told)
        stage = replace(context(tmp_path, engine={"uses": "paid", "mode": mode}), plugins=ByApi(), emit=emit)
        cut = generate.shards(stage)
        assert [(shard.start, shard.stop) for shard in cut] == shards[mode]
        for shard in cut:
            generate.run_shard(stage, shard, tmp_path / "shard")
    assert sorted(Paid.calls) == sorted(f"{text} ->" for text in TEXTS)
    assert dict(answered(tmp_path))["ar4"] == "eeeee -> paid"
    found = {event["shard"]: event["found"]["answers"] for event in told if event["event"] == "spent"}
    assert found == ({0: 2, 1: 2, 2: 1} if modes[0] == "sync" else {0: 5}), "each answer once, in the shard that paid it"


class Batched(Paid):
    """Answers come as a job, which tells of all its rows before the first is here. It leaves nothing behind in its folder."""

    asked: ClassVar[list[list[str]]] = []

    def wait_in(self, work: Path, emit: Callable[..., None]) -> None:
        self.folder, self.emit = work, emit

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        Batched.asked.append(list(prompts))
        for file in self.folder.glob("*.job.json"):
            file.unlink()
        self.emit("progress", done=len(prompts), total=len(prompts), unit="rows")
        yield from super().generate(prompts, inputs, decoding)


class ByBatch(ByApi):
    table: Mapping[tuple[str, str], Any] = {**ByApi.table, ("engines", "paid"): (PaidConfig, Batched)}


def test_what_a_job_told_of_is_not_told_again_and_one_that_is_left_is_collected_though_all_rows_are_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Batched, "asked", [])
    told: list[int] = []
    stage = replace(
        context(tmp_path, engine={"uses": "paid", "mode": "batch"}),
        plugins=ByBatch(),
        emit=lambda event, **fields: told.append(fields["done"]) if event == "progress" else None,
    )
    (shard,) = generate.shards(stage)
    generate.run_shard(stage, shard, tmp_path / "shard")
    assert told == [0, 5, 5], "as the shard begins, by the job, and by the shard that is done"
    jobs = tmp_path / "work" / "jobs-00000-model"
    jobs.mkdir()
    (jobs / "00001.job.json").write_text("a kill came before it was removed", encoding="utf-8")
    generate.run_shard(stage, shard, tmp_path / "shard")
    assert list(map(len, Batched.asked)) == [5, 0]


def test_limit_and_skip_count_training_rows_only(tmp_path: Path) -> None:
    rows = [Row(row_id=f"{split}{i}", payload={"input": str(i)}, source="s", split=split) for split in ("train", "test") for i in range(4)]
    (tmp_path / "rows").mkdir()
    write_artifact(tmp_path / "rows", rows)
    stage = context(tmp_path, limit=2, skip=1)
    (shard,) = generate.shards(stage)
    generate.run_shard(stage, shard, tmp_path / "shard")
    assert [row.parents[0] for row in read_rows(tmp_path / "shard" / generate.ROWS)] == [
        "train1",
        "train2",
        "test0",
        "test1",
        "test2",
        "test3",
    ]


def test_nothing_to_generate_from_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="the data set is empty"):
        generate.shards(context(tmp_path, skip=5))


def test_answers_that_never_end_say_what_to_do(tmp_path: Path) -> None:
    write_rows(tmp_path / generate.ROWS, [])
    with pytest.raises(StageFailed, match="dropped every row: truncated 3") as failure:
        generate.collect(context(tmp_path), [(tmp_path, {"kept": 0, "dropped": {"truncated": 3}})])
    assert "`max_tokens`" in (failure.value.help or "")


def test_thoughts_that_a_stop_cuts_say_what_to_do(tmp_path: Path) -> None:
    """A model that thinks aloud, under the line break that suits one that does not."""
    write_rows(tmp_path / generate.ROWS, [])
    with pytest.raises(StageFailed, match="dropped every row: broken 40") as failure:
        generate.collect(context(tmp_path), [(tmp_path, {"kept": 0, "dropped": {"broken": 40}})])
    assert "`stop`" in (failure.value.help or "")


def test_a_model_without_an_engine_is_one_clear_error(tmp_path: Path) -> None:
    stage = context(tmp_path, engine=None)
    (shard,) = generate.shards(stage)
    with pytest.raises(StageFailed, match="no engine here reads the model of `model`"):
        generate.run_shard(stage, shard, tmp_path / "shard")


def test_a_shard_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    rows = [Row(row_id="1", payload={"input": "a"}, source="s"), Row(row_id="2", payload={"input": "b"}, source="s")]
    changed = [rows[0], Row(row_id="2", payload={"input": "c"}, source="s")]
    assert digest(rows) != digest(changed)
    assert digest(rows) != digest(rows[::-1])


def test_what_cannot_be_closed_leaves_nothing_else_open(tmp_path: Path) -> None:
    class Opened:
        closed = 0

        def close(self) -> None:
            Opened.closed += 1
            if Opened.closed == 1:
                raise OSError("gone")

    stage = context(tmp_path)
    for name in ("first", "last"):
        stage.once(name, Opened)
    with pytest.raises(OSError, match="gone"):
        stage.close()
    assert (Opened.closed, stage.opened) == (2, {})
