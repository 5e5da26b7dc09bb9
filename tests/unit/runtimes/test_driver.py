"""The driver: what runs, what is kept, what is adopted, and how a run ends."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.plan import Plan
from distillc.runtimes import driver
from distillc.runtimes.driver import Outcome
from distillc.runtimes.events import read_events
from distillc.runtimes.journal import Journal
from distillc.runtimes.lock import held, run_lock
from distillc.runtimes.stages import execute as execution
from distillc.runtimes.store import Store, open_store
from distillc.runtimes.store.rows import read_rows
from distillc.runtimes.work import Contract
from distillc.spec.errors import StageFailed, StoreDamaged, UsageError
from tests.unit.runtimes.small_plan import FakePlugins, InProcess, make_plan, make_stage, numbers_plan


def run(plan: Plan, store: Store, executor: InProcess, **options: Any) -> Outcome:
    return driver.run(plan, folder=store.home.parent, store=store, executor=executor, plugins=executor.plugins, **options)


def test_a_plan_runs_in_order_and_its_artifacts_hold_what_the_plugins_made(store: Store, executor: InProcess) -> None:
    plan = numbers_plan()
    outcome = run(plan, store, executor)
    assert (outcome.exit_code, outcome.error) == (0, None)
    assert outcome.states == {"prose/ingest": "sealed", "prose": "sealed", "pairs": "sealed", "odd": "sealed"}
    assert executor.ran == [
        ("prose/ingest", None),
        ("prose", None),
        ("pairs", "cut"),
        ("pairs", "map"),
        ("pairs", "collect"),
        ("odd", None),
    ]
    pairs = store.sealed(plan.stage("pairs").key)
    assert pairs is not None
    # `limit: 4` counts training rows; validation and test pass whole
    assert pairs.meta == {"rows": {"train": 4, "validation": 2, "test": 3}, "generated": 9, "kept": 9, "dropped": {}}
    odd = store.sealed(plan.stage("odd").key)
    assert odd is not None
    rows = [row for path in store.directory(odd).iterdir() for row in read_rows(path)]
    assert all(int(row.payload["input"]) % 2 for row in rows)
    assert odd.meta["kept"] + sum(odd.meta["dropped"].values()) == odd.meta["generated"] == 9


def test_a_finished_run_does_nothing_and_says_so(store: Store, executor: InProcess) -> None:
    run(numbers_plan(), store, executor)
    executor.ran.clear()
    again = run(numbers_plan(), open_store(str(store.home)), executor)
    assert executor.ran == []
    assert again.idle
    assert set(again.states.values()) == {"kept"}


def test_a_change_runs_again_only_what_hangs_on_it(store: Store, executor: InProcess) -> None:
    run(numbers_plan(), store, executor)
    executor.ran.clear()
    run(numbers_plan(add=2), store, executor)
    assert executor.stages() == ["pairs", "odd"]


def test_what_hangs_on_equal_bytes_is_adopted(store: Store, executor: InProcess) -> None:
    run(numbers_plan(), store, executor)
    executor.ran.clear()
    outcome = run(numbers_plan(pad="enters the key and changes no row"), store, executor)
    assert executor.stages() == ["prose/ingest"]
    assert outcome.states == {"prose/ingest": "sealed", "prose": "adopted", "pairs": "adopted", "odd": "adopted"}
    assert store.verify().damage == ()


def test_a_job_outlives_a_seal_that_knows_nothing_of_it_and_is_named_until_it_is_cancelled(store: Store, executor: InProcess) -> None:
    """As where another machine has sealed the stage in the same store."""
    plan = numbers_plan()
    run(plan, store, executor)
    file = store.home / "work" / plan.stage("pairs").key / "state" / "00001.job.json"
    job = {"place": "/batches", "id": "batch_1", "token": "t", "base_url": "https://api.example.com/v1", "request": {}, "about": {}}
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(job), encoding="utf-8")
    outcome = run(plan, store, executor)
    assert (outcome.states["pairs"], file.exists()) == ("kept", True)
    assert outcome.messages[0] == "pairs: batches batch_1 at https://api.example.com/v1 is not collected yet"
    assert "`distillc cancel`" in outcome.messages[1]
    file.write_text(json.dumps({**job, "about": {"cancelled": True}}), encoding="utf-8")
    assert run(plan, store, executor).messages == []
    assert not file.exists()


def test_the_index_is_made_again_from_the_manifests(store: Store, executor: InProcess) -> None:
    run(numbers_plan(), store, executor)
    for path in store.home.glob("journal.sqlite3*"):
        path.unlink()
    assert run(numbers_plan(pad="x"), store, executor).states["odd"] == "adopted"


def test_until_runs_a_step_and_what_it_needs(store: Store, executor: InProcess) -> None:
    outcome = run(numbers_plan(), store, executor, until="prose")
    assert list(outcome.states) == ["prose/ingest", "prose"]
    with pytest.raises(UsageError, match="no step `nope`"):
        run(numbers_plan(), store, executor, until="nope")


def test_a_plugin_that_loses_a_row_fails_its_stage(store: Store, executor: InProcess) -> None:
    outcome = run(numbers_plan(lose=(7,)), store, executor)
    assert isinstance(outcome.error, StageFailed)
    assert "lost 1 of 9 rows" in outcome.error.message
    assert outcome.error.where == "pairs"
    assert outcome.exit_code == 5
    assert outcome.states["odd"] == "waiting"
    assert store.verify().damage == ()


def test_drops_are_counted_by_reason(store: Store, executor: InProcess) -> None:
    plan = numbers_plan(drop=(0, 1, 2, 3, 4, 5, 6, 7))
    run(plan, store, executor)
    pairs = store.sealed(plan.stage("pairs").key)
    assert pairs is not None
    assert pairs.meta["kept"] + pairs.meta["dropped"]["unlucky"] == pairs.meta["generated"] == 9


def test_an_empty_data_set_is_one_clear_error(store: Store, executor: InProcess) -> None:
    error = run(numbers_plan(count=0), store, executor).error
    assert error is not None
    assert error.message == "source 'numbers' gave no rows: the data set is empty"


def test_a_full_disk_is_one_clear_error_and_the_next_run_goes_on(
    store: Store, executor: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("distillc.runtimes.stages.generate.write_rows", full)
        outcome = run(numbers_plan(), store, executor)
    assert outcome.error is not None
    assert (outcome.error.message, outcome.error.where, outcome.exit_code) == ("the disk is full", "pairs", 5)
    assert store.verify().damage == ()
    executor.ran.clear()
    assert run(numbers_plan(), store, executor).exit_code == 0
    assert executor.stages() == ["pairs", "odd"]


def test_a_resumed_map_skips_the_shards_that_are_sealed(store: Store, executor: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distillc.runtimes.stages.asked.SHARD_ROWS", 4)
    done: list[int] = []
    real = execution.stage_module("generate").run_shard

    def run_shard(context: Any, shard: Any, out: Path) -> Any:
        if shard.number == 2 and 2 not in done:
            done.append(2)
            raise OSError(errno.EIO, "unplugged")
        done.append(shard.number)
        return real(context, shard, out)

    monkeypatch.setattr("distillc.runtimes.stages.generate.run_shard", run_shard)
    assert run(numbers_plan(), store, executor).exit_code == 5
    assert run(numbers_plan(), store, executor).exit_code == 0
    assert done == [0, 1, 2, 2]


def test_a_missing_blob_stops_the_run_and_names_the_way_out(store: Store, executor: InProcess) -> None:
    plan = numbers_plan()
    run(plan, store, executor)
    sealed = store.sealed(plan.stage("prose").key)
    assert sealed is not None
    store.blobs.delete(f"blobs/{next(iter(sealed.files.values())).sha256}")
    shutil.rmtree(store.home / "trees")
    error = run(plan, store, executor).error
    assert isinstance(error, StoreDamaged)
    assert error.where == "prose"
    assert "verify --forget" in (error.help or "")
    store.forget(store.verify().damage)
    assert run(plan, store, executor).exit_code == 0


def test_a_second_run_beside_the_first_is_refused(store: Store, executor: InProcess) -> None:
    with run_lock(store.home, "the-first"):
        assert held(store.home)
        with pytest.raises(UsageError, match=f"run the-first, process {os.getpid()}"):
            run(numbers_plan(), store, executor)
    assert not held(store.home)
    assert run(numbers_plan(), store, executor).exit_code == 0


def test_the_lock_of_a_killed_process_is_taken(store: Store, executor: InProcess) -> None:
    code = f"""
import signal, sys, time
from pathlib import Path
from distillc.runtimes.lock import run_lock
with run_lock(Path({str(store.home)!r}), "killed"):
    print("held", flush=True)
    time.sleep(60)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    with pytest.raises(UsageError, match="run killed"):
        run(numbers_plan(), store, executor)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert run(numbers_plan(), store, executor).exit_code == 0


def test_an_executor_without_a_contract_is_refused_before_anything_starts(store: Store, plugins: FakePlugins) -> None:
    executor = InProcess(plugins)
    executor.contracts = frozenset({Contract.REDUCE})
    with pytest.raises(UsageError, match="stage kind 'generate' needs contract 'map'"):
        run(numbers_plan(), store, executor)
    assert executor.ran == []


def test_the_log_and_the_journal_tell_the_same_story(store: Store, executor: InProcess) -> None:
    told: list[str] = []
    outcome = run(numbers_plan(), store, executor, progress=lambda event: told.append(event["event"]))
    logged = [event["event"] for event in read_events(outcome.folder / "events.jsonl")]
    assert told == logged
    assert (logged[0], logged[-1]) == ("run started", "run finished")
    assert logged.count("shard sealed") == 1
    journal = Journal(store.home / "journal.sqlite3")
    assert [(one.id, one.state) for one in journal.runs()] == [(outcome.run, "finished")]
    assert [one.state for one in journal.stages(outcome.run)] == ["sealed"] * 4


def gated(monkeypatch: pytest.MonkeyPatch, verdict: str, level: str, kind: str = "bundle") -> Plan:
    """A gate that says `verdict`, and a deploy step that needs it."""
    plan = numbers_plan()

    def gate(context: Any) -> dict[str, Any]:
        (context.out / "gate.json").write_text(json.dumps({"name": "better", "level": level, "verdict": verdict}))
        return {}

    def bundle(context: Any) -> dict[str, Any]:
        (context.out / "README.md").write_text("a bundle")
        return {}

    real = execution.stage_module
    fake = {"gate": types.SimpleNamespace(run=gate), "bundle": types.SimpleNamespace(run=bundle)}
    monkeypatch.setattr(execution, "stage_module", lambda kind: fake.get(kind) or real(kind))
    better = make_stage("better", "gate", None, {"level": level, "verdict": verdict}, {"evaluation": (plan.stage("odd"), None)})
    edge = make_stage("edge", "bundle", None, {}, {"gate.better": (better, None)})
    return make_plan(*plan.stages, better, edge)


@pytest.mark.parametrize(
    ("verdict", "level", "exit_code", "deployed"),
    [
        ("pass", "error", 0, "sealed"),
        ("fail", "error", 1, "skipped"),
        ("undecided", "error", 3, "skipped"),
        ("fail", "warn", 1, "skipped"),  # the gate alone changes no exit code, but a step that needs it was not done
    ],
)
def test_gates_give_the_exit_code_and_hold_back_what_needs_them(
    store: Store, executor: InProcess, monkeypatch: pytest.MonkeyPatch, verdict: str, level: str, exit_code: int, deployed: str
) -> None:
    outcome = run(gated(monkeypatch, verdict, level), store, executor)
    assert (outcome.exit_code, outcome.states["edge"]) == (exit_code, deployed)
    assert bool(outcome.messages) == (deployed == "skipped")


def test_a_gate_that_warns_changes_no_exit_code(store: Store, executor: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = gated(monkeypatch, "fail", "warn")
    assert run(replace(plan, stages=plan.stages[:-1]), store, executor).exit_code == 0
