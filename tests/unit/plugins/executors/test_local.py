"""The local executor: a fresh process a piece of work, errors as data, nobody outlives the driver."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from distillc.plugins.executors.local import CAN_FORK, LocalExecutor
from distillc.runtimes.work import Allowance, Contract, LeaseRequest, Shard, StageWork, Where
from distillc.spec.errors import DistillError, StageFailed, StoreDamaged

WAYS = [pytest.param(True, marks=pytest.mark.skipif(not CAN_FORK, reason="forking is for Linux")), False]


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@pytest.fixture(params=WAYS, ids=lambda fork: "fork" if fork else "spawn")
def executor(request: pytest.FixtureRequest) -> LocalExecutor:
    return LocalExecutor(entry="entries:entry", fork=request.param)


def work(action: str, folder: Path) -> StageWork:
    where = Where(store="", folder="", work=str(folder), events=str(folder / "events.jsonl"))
    return StageWork(Contract.REDUCE, {"id": action, "kind": "report", "config": {}}, where)


def reduce(executor: LocalExecutor, *actions: str, folder: Path) -> None:
    async def go() -> None:
        try:
            for action in actions:
                await executor.run_reduce(work(action, folder))
        finally:
            await executor.close()

    asyncio.run(go())


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has collected yet has."""
    for _ in range(50):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.1)
    return False


def test_a_map_yields_each_shard(executor: LocalExecutor, tmp_path: Path) -> None:
    shards = tuple(Shard(n, n * 10, n * 10 + 10, f"digest {n}") for n in range(3))

    async def go() -> list[Shard]:
        try:
            return [shard async for shard in executor.run_map(work("shards", tmp_path), shards, Allowance())]
        finally:
            await executor.close()

    assert asyncio.run(go()) == list(shards)


def test_a_job_runs_beside_other_work(executor: LocalExecutor, tmp_path: Path) -> None:
    async def go() -> None:
        job = asyncio.create_task(executor.run_job(work("sleeps", tmp_path), Allowance()))
        await executor.run_reduce(work("facts", tmp_path))
        assert not job.done()
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        await executor.close()

    asyncio.run(go())
    assert (tmp_path / "facts").exists()


def test_each_piece_has_its_own_process_and_strings_hash_alike(executor: LocalExecutor, tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        reduce(executor, "facts", folder=tmp_path)
        seen.append((tmp_path / "facts").read_text().split())
    assert seen[0][0] != seen[1][0]
    assert str(os.getpid()) not in (seen[0][0], seen[1][0])
    assert seen[0][3] == seen[1][3]


def test_what_a_worker_prints_goes_to_the_log(executor: LocalExecutor, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    reduce(executor, "chatty", folder=tmp_path)
    assert capfd.readouterr() == ("", "")
    log = (tmp_path / "log.txt").read_text()
    assert "a library prints" in log
    assert "and C prints" in log


def test_an_error_comes_back_as_itself(executor: LocalExecutor, tmp_path: Path) -> None:
    with pytest.raises(StoreDamaged) as caught:
        reduce(executor, "fails", folder=tmp_path)
    assert (caught.value.message, caught.value.help, caught.value.where) == ("bytes are wrong", "do this", "blob 7")
    assert "StoreDamaged" in (tmp_path / "log.txt").read_text()


def test_a_foreign_error_is_a_failed_stage(executor: LocalExecutor, tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="by nought") as caught:
        reduce(executor, "breaks", folder=tmp_path)
    assert "ZeroDivisionError" in "".join(caught.value.__notes__)


@pytest.mark.parametrize(("action", "message"), [("killed", "its process was killed"), ("crashes", "its process ended with status 7")])
def test_a_worker_that_dies_harms_nobody(executor: LocalExecutor, tmp_path: Path, action: str, message: str) -> None:
    async def go() -> None:
        try:
            with pytest.raises(StageFailed, match=message):
                await executor.run_reduce(work(action, tmp_path))
            await executor.run_reduce(work("facts", tmp_path))
        finally:
            await executor.close()

    asyncio.run(go())
    assert (tmp_path / "facts").exists()


@pytest.mark.parametrize("action", ["sleeps", "spins"])
def test_a_cancelled_piece_is_killed(executor: LocalExecutor, tmp_path: Path, action: str) -> None:
    async def go() -> None:
        task = asyncio.create_task(executor.run_reduce(work(action, tmp_path)))
        while not (tmp_path / "pid").exists():
            assert not task.done()
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await executor.close()

    asyncio.run(go())
    assert gone(int((tmp_path / "pid").read_text()))


DRIVER = """
import asyncio, sys
from distillc.plugins.executors.local import LocalExecutor
from distillc.runtimes.work import Contract, StageWork, Where
action, folder, fork = sys.argv[1:]
where = Where(store="", folder="", work=folder, events=folder + "/events.jsonl")
stage = {"id": action, "kind": "report", "config": {}}
asyncio.run(LocalExecutor(entry="entries:entry", fork=fork == "True").run_reduce(StageWork(Contract.REDUCE, stage, where)))
"""


@pytest.mark.parametrize(("fork", "action"), [(False, "sleeps"), (True, "sleeps"), (True, "spins")])
def test_a_worker_dies_with_a_killed_driver(tmp_path: Path, fork: bool, action: str) -> None:
    if fork and not CAN_FORK:
        pytest.skip("forking is for Linux")
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, action, str(tmp_path), str(fork)])
    while not (tmp_path / "pid").exists():
        assert driver.poll() is None
        time.sleep(0.02)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert gone(int((tmp_path / "pid").read_text()))


def test_other_contracts_are_refused(tmp_path: Path) -> None:
    executor = LocalExecutor()
    assert executor.contracts == {Contract.MAP, Contract.REDUCE, Contract.SESSION, Contract.JOB}
    with pytest.raises(DistillError, match="contract 'lease'"):
        executor.lease(LeaseRequest("http", "any"), work("any", tmp_path).where)
