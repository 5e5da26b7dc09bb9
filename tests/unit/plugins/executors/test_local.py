"""The local executor: a fresh process a piece of work, errors as data, nobody outlives the driver."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from distillc.plugins.executors import serving
from distillc.plugins.executors.local import CAN_FORK, LocalExecutor
from distillc.runtimes.work import Allowance, Contract, Lease, LeaseRequest, Shard, StageWork, Where
from distillc.spec.errors import StageFailed, StoreDamaged
from tests.unit.plugins.executors import entries

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


def gone(pid: int, looks: int = 50) -> bool:
    """Whether a process has ended; one that nobody has collected yet has."""
    for _ in range(looks):
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


def lease(folder: Path, **options: object) -> AbstractAsyncContextManager[Lease]:
    executor = LocalExecutor(lease_entry="entries:server_of")
    assert Contract.LEASE in executor.contracts
    return executor.lease(LeaseRequest("python", "any", dict(options)), work("any", folder).where)


def test_a_lease_is_a_server_that_answers_and_is_gone_with_its_context(tmp_path: Path) -> None:
    async def go() -> int:
        async with lease(tmp_path) as found:
            assert found.name == "a model"
            with urllib.request.urlopen(f"{found.base_url}/models", timeout=10) as reply:
                assert reply.status == 200
            assert found.pid is not None and not gone(found.pid, 1)
            return found.pid

    pid = asyncio.run(go())
    assert gone(pid, 1), "whoever closes it waits until it is gone"
    assert "GET /v1/models" in "".join(log.read_text() for log in tmp_path.glob("server-python-*.log"))


@pytest.fixture
def beside_the_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m` alone looks for modules where it is started, which is where a spec is, and what came with it."""
    (tmp_path / "queue.py").write_text("raise SystemExit('not the library')")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("beside_the_spec")
def test_a_worker_takes_nothing_in_the_folder_of_a_run_for_a_library(executor: LocalExecutor, tmp_path: Path) -> None:
    reduce(executor, "facts", folder=tmp_path)


@pytest.mark.usefixtures("beside_the_spec")
def test_a_server_takes_nothing_in_the_folder_of_a_run_for_a_library(tmp_path: Path) -> None:
    async def go() -> str:
        async with lease(tmp_path) as found:
            return found.name

    assert asyncio.run(go()) == "a model"


def test_a_server_that_does_not_heed_sigterm_is_killed_with_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "GRACE", 0.2)
    make = entries.server_of({"where": {"work": str(tmp_path)}, "options": {"stubborn": True}})
    for _ in range(5):  # what it started is collected by another, a moment later
        serving.start(make, tmp_path / "log", serving.free_ports()).end()
        pids = (tmp_path / "pids").read_text().split()
        assert (len(pids), all(gone(int(pid), 1) for pid in pids)) == (2, True), "whoever ends it waits until all of it is gone"


def test_the_error_of_whoever_asks_a_server_that_has_ended_is_its_end(tmp_path: Path) -> None:
    async def go() -> None:
        async with lease(tmp_path) as found:
            assert found.pid is not None
            os.kill(found.pid, signal.SIGKILL)
            raise StageFailed("connection refused", where="answers")

    with pytest.raises(StageFailed, match="its server was ended by signal 9") as ended:
        asyncio.run(go())
    assert "what is answered is kept" in str(ended.value.help)


def test_any_other_error_stays_what_it_is(tmp_path: Path) -> None:
    async def go() -> None:
        async with lease(tmp_path):
            raise StageFailed("something else", where="answers")

    with pytest.raises(StageFailed, match="something else"):
        asyncio.run(go())


def test_a_port_that_is_taken_is_passed_over(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        free = next(serving.free_ports())
        served = serving.start(entries.server_of({"where": {"work": str(tmp_path)}}), tmp_path / "log", [taken, free])
    served.end()
    assert served.base_url == f"http://127.0.0.1:{free}/v1"


def test_a_server_of_another_at_the_port_is_not_taken_for_ours(tmp_path: Path) -> None:
    make = entries.server_of({"where": {"work": str(tmp_path)}})
    served = serving.start(make, tmp_path / "log", serving.free_ports())
    try:
        served.server = served.server._replace(name="another's model")
        assert not served.answers()
    finally:
        served.end()


def test_a_server_that_ends_at_once_is_told_with_its_last_lines(tmp_path: Path) -> None:
    make = entries.server_of({"where": {"work": str(tmp_path)}, "options": {"broken": True}})
    with pytest.raises(StageFailed, match=r"(?s)its server ended with 3:.*there is no memory left") as failed:
        serving.start(make, tmp_path / "log", serving.free_ports())
    assert str(tmp_path / "log") in str(failed.value.help)


def test_a_run_that_is_cancelled_while_a_server_starts_leaves_none(tmp_path: Path) -> None:
    async def go() -> None:
        async def wait() -> None:
            async with lease(tmp_path, mute=True):
                raise AssertionError("it never answers")

        task = asyncio.create_task(wait())
        while not (tmp_path / "pids").exists():
            assert not task.done()
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go())
    assert all(gone(int(pid), 1) for pid in (tmp_path / "pids").read_text().split())
