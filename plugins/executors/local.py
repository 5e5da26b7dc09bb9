"""Runs work on this machine: a fresh process a piece, so that memory comes back and a killed stage harms nobody.

On Linux the processes are forked from a small server that has what is heavy imported already (`forkserver.py`); elsewhere each is
an interpreter of its own (`worker.py`). Contracts: all five; a lease's server is kept by `serving.py`.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from distillc.plugins.executors.configs import LocalConfig
from distillc.plugins.executors.serving import Kept
from distillc.runtimes.work import ENTRY, LEASE_ENTRY, Allowance, Contract, Lease, LeaseRequest, Shard, StageWork, Where
from distillc.spec import errors
from distillc.spec.errors import DistillError, StageFailed

LONGEST_LINE = 1 << 24
INTERPRETER = (sys.executable, "-P")  # what lies in the folder of a run is no library
# macOS can fork too, but its frameworks (Accelerate among them) may not be used in a forked child.
CAN_FORK = sys.platform.startswith("linux")
ROWS = (
    "pyarrow.parquet",
    "pydantic",
    "jinja2",
    "distillc.spec.fields",
    "distillc.plugins.registry",
    "distillc.runtimes.stages.execute",
    "distillc.runtimes.stages.generate",
)
TORCH = (
    *ROWS,
    "torch",
    "safetensors.torch",
    "tokenizers",
    "transformers.models.llama.modeling_llama",
    "distillc.runtimes.inference.generation",
    "distillc.runtimes.training.loop",
)
HEAVY: Mapping[str, tuple[str, ...]] = {"build-model": TORCH, "train": TORCH, "capture": TORCH}


class LocalExecutor:
    """`entry` is what workers call, `lease_entry` what tells which server to start; others than the defaults are for tests."""

    contracts = frozenset(Contract)

    def __init__(
        self, config: LocalConfig | None = None, *, entry: str = ENTRY, lease_entry: str = LEASE_ENTRY, fork: bool = CAN_FORK
    ) -> None:
        self._entry, self._lease_entry = entry, lease_entry
        self._fork = fork
        self._server: _Server | None = None
        self._starting = asyncio.Lock()

    async def run_map(self, work: StageWork, shards: tuple[Shard, ...], allowance: Allowance) -> AsyncIterator[Shard]:
        """One process does all shards in turn: the cores are the engine's, and a model is loaded once."""
        by_number = {shard.number: shard for shard in shards}
        request = {"shards": [asdict(shard) for shard in shards], "allowance": allowance.plain()}
        async with contextlib.aclosing(self._run(work, request)) as messages:
            async for message in messages:
                if "shard" in message:
                    yield by_number[message["shard"]]

    async def run_reduce(self, work: StageWork) -> None:
        await self._whole(work, {})

    async def run_session(self, work: StageWork) -> None:
        await self._whole(work, {})

    async def run_job(self, work: StageWork, allowance: Allowance) -> None:
        await self._whole(work, {"allowance": allowance.plain()})

    @contextlib.asynccontextmanager
    async def lease(self, request: LeaseRequest, where: Where) -> AsyncGenerator[Lease, None]:
        """Beside the run's log, `server-ENGINE-….log` takes what the server says."""
        folder = Path(where.events).parent
        asked = asdict(request)
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        server_log = folder / f"server-{request.engine}-{digest[:8]}.log"
        kept = Kept(
            {**asked, "entry": self._lease_entry, "where": asdict(where), "log": str(folder / "log.txt"), "server_log": str(server_log)}
        )
        try:
            lease = await asyncio.to_thread(kept.ready)
            try:
                yield lease
            except StageFailed:
                kept.refuse_ended()
                raise
        finally:
            await asyncio.to_thread(kept.end)

    async def close(self) -> None:
        if self._server is not None:
            await self._server.close()
            self._server = None

    async def _whole(self, work: StageWork, extra: Mapping[str, Any]) -> None:
        async with contextlib.aclosing(self._run(work, extra)) as messages:
            async for _ in messages:
                pass

    async def _run(self, work: StageWork, extra: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The worker's lines up to its end. Raises the worker's error as its own class. Whoever stops reading kills the worker."""
        request = {"entry": self._entry, "work": asdict(work), "log": str(Path(work.where.events).parent / "log.txt"), **extra}
        stage = work.stage["id"]
        async with self._starting:  # jobs run side by side
            if self._fork and self._server is None:
                self._server = await _Server.start()
        modules = ROWS if work.contract is Contract.JOB else heavy(work.stage)
        process: _Forked | _Spawned = await (self._server.fork(request, modules) if self._server else _Spawned.start(request))
        finished = False
        try:
            async for line in process.lines():
                message = json.loads(line)
                if "error" in message:
                    raise _error(message["error"], stage)
                finished = finished or "done" in message
                yield message
            status = await process.wait()
            if not finished:
                raise _ended(status, stage)
        finally:
            await process.end()


def heavy(stage: Mapping[str, Any]) -> tuple[str, ...]:
    """What a stage will import that is worth importing once for all workers."""
    engine = stage["config"].get("engine")
    name = engine.get("uses") if isinstance(engine, Mapping) else engine
    if name == "transformers":
        return TORCH
    metrics = [metric.get("uses") for metric in stage["config"].get("metrics", ()) if isinstance(metric, Mapping)]
    if stage["kind"] == "evaluate" and "errant" in metrics:
        return (*ROWS, "spacy", "errant")
    if stage["kind"] == "build-model" and "torch" not in stage["config"].get("versions", ("torch",)):
        return ROWS  # rules, files and APIs are models too
    return HEAVY.get(stage["kind"], ROWS)


class _Server:
    """The fork server, started with the first piece of work."""

    def __init__(
        self, process: subprocess.Popen[bytes], control: socket.socket, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._writer = writer
        self._control = control
        self._reader = reader
        self._lock = asyncio.Lock()
        self._pids: dict[int, asyncio.Future[int]] = {}
        self._statuses: dict[int, asyncio.Future[int]] = {}
        self._jobs = 0
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls) -> "_Server":
        ours, theirs = socket.socketpair()
        command = [*INTERPRETER, "-m", "distillc.plugins.executors.forkserver", str(theirs.fileno()), str(os.getpid())]
        # Strings hash alike in every worker, so that the order of a set of them can't differ between a run and its resumption.
        # OpenMP reads its policy when torch is loaded, here: waiting threads sleep (runtimes/inference/process.py says why).
        environment = {
            "OMP_WAIT_POLICY": "PASSIVE",
            **os.environ,
            "PYTHONHASHSEED": "0",
            "TOKENIZERS_PARALLELISM": "false",
            "HF_HUB_OFFLINE": "1",
        }
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=environment, start_new_session=True)
        theirs.close()
        ours.setblocking(False)
        return cls(process, ours, *await asyncio.open_connection(sock=ours))

    async def fork(self, request: Mapping[str, Any], modules: tuple[str, ...]) -> "_Forked":
        async with self._lock:
            self._jobs += 1
            job = self._jobs
            loop = asyncio.get_running_loop()
            self._pids[job] = loop.create_future()
            self._statuses[job] = loop.create_future()
            lines, results = os.pipe()
            with tempfile.TemporaryFile() as file:
                file.write(json.dumps(request).encode())
                file.flush()
                file.seek(0)
                socket.send_fds(self._control, [(json.dumps({"job": job, "import": modules}) + "\n").encode()], [file.fileno(), results])
            os.close(results)
            pid = await self._pids[job]
        return _Forked(pid, self._statuses[job], lines)

    async def _listen(self) -> None:
        while line := await self._reader.readline():
            message = json.loads(line)
            waiting = (self._pids if "pid" in message else self._statuses)[message["job"]]
            if not waiting.done():
                waiting.set_result(message.get("pid", message.get("status")))
        for future in (*self._pids.values(), *self._statuses.values()):
            if not future.done():
                future.set_exception(StageFailed("the process that starts workers has ended", help="run again: what is done is kept"))
                future.exception()  # nobody may be waiting for this one

    async def close(self) -> None:
        """The workers die with it."""
        self._listening.cancel()
        self._process.kill()
        await asyncio.to_thread(self._process.wait)
        self._writer.close()


class _Forked:
    def __init__(self, pid: int, status: asyncio.Future[int], lines: int) -> None:
        self._pid = pid
        self._status = status
        self._lines = lines

    async def lines(self) -> AsyncIterator[bytes]:
        reader = asyncio.StreamReader(limit=LONGEST_LINE)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(self._lines, "rb", 0))
        try:
            while line := await reader.readline():
                yield line
        finally:
            transport.close()

    async def wait(self) -> int:
        return await asyncio.shield(self._status)

    async def end(self) -> None:
        if not self._status.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            with contextlib.suppress(DistillError):
                await asyncio.shield(self._status)


class _Spawned:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, request: Mapping[str, Any]) -> "_Spawned":
        process = await asyncio.create_subprocess_exec(
            *INTERPRETER,
            "-m",
            "distillc.plugins.executors.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": "0", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"},
            limit=LONGEST_LINE,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        return cls(process)

    async def lines(self) -> AsyncIterator[bytes]:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            yield line

    async def wait(self) -> int:
        return await self._process.wait()

    async def end(self) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


def _error(data: Mapping[str, Any], stage: str) -> DistillError:
    """The worker's error as the class of that name; one that is not ours is a failed stage."""
    found = getattr(errors, str(data["type"]), StageFailed)
    kind = found if isinstance(found, type) and issubclass(found, DistillError) and found is not errors.InvalidSpec else StageFailed
    error = kind(str(data["message"]), help=data.get("help"), where=data.get("where") or stage)
    error.add_note(str(data.get("traceback") or ""))
    return error


def _ended(status: int, stage: str) -> StageFailed:
    if status == -9:
        return StageFailed(
            "its process was killed; most often the system had no memory left", where=stage, help="run again: what is done is kept"
        )
    how = f"signal {-status}" if status < 0 else f"status {status}"
    return StageFailed(f"its process ended with {how}", where=stage, help="the end of the run's log.txt says more; run again resumes")
