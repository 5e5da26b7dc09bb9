"""A server that lives while others use it: a process on loopback, and a process beside it that keeps it.

`Kept` starts the keeper, which starts the server, waits until it answers, and ends it when it is told to, or when whoever started it is
gone, however that ended. It is there for the latter: a killed driver ends nothing any more, and a server that is killed alone may leave
processes of its own behind (vLLM's hold the GPU's memory). The server and all of those are a session of their own, which ends as a whole.

The keeper reads one line, the request: `entry` names a function that makes of it what gives the `Server` for a port, `log` takes what the
keeper prints, `server_log` what the server does. It writes `{"lease": …}` when the server answers and `{"error": …}` when it has ended by
itself. The end of what it reads is the sign to end.
"""

import contextlib
import http.client
import importlib
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from distillc.plugins.api.engines import Server
from distillc.plugins.executors.worker import die_with_parent, redirect
from distillc.runtimes.work import Lease
from distillc.spec.errors import DistillError, StageFailed

STARTS = 5  # a port that is free may be taken by the time that the server has loaded its model
GRACE = 15.0  # seconds that a server has to end by itself
GOING = 3.0  # seconds that what was killed has to be gone
TOLD = 0.5  # seconds within which the keeper says that the server has ended
LINES = 5  # of what a server said last
_TAKEN = re.compile(r"address already in use|only one usage of each socket address", re.IGNORECASE)
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Make = Callable[[int], Server]


class Kept:
    """A server and its keeper. `end` it in any case."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "distillc.plugins.executors.serving"],  # -P: what lies in the run's folder is no library
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"},
            start_new_session=True,  # Ctrl-C, and a kill of the whole group, are the driver's: the keeper sees that it is gone
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    def ready(self) -> Lease:
        """Waits until the server answers. Raises StageFailed where it does not, with what it said last."""
        return Lease(**self._told()["lease"])

    def refuse_ended(self) -> None:
        """Raises StageFailed where the server has ended by itself."""
        with contextlib.suppress(queue.Empty):
            self._told(TOLD)

    def end(self) -> None:
        """Ends the server, and waits until it is gone."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(GRACE + GOING + 5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                self._lines.put(line)
        self._lines.put(b"")

    def _told(self, timeout: float | None = None) -> dict[str, Any]:
        line = self._lines.get(timeout=timeout)
        if not line:
            raise StageFailed("the process that keeps a server has ended", help="the end of the run's log.txt says more; run again resumes")
        message: dict[str, Any] = json.loads(line)
        if error := message.get("error"):
            raise StageFailed(error["message"], help=error["help"], where=error["where"])
        return message


class Served:
    """A server's process. What it says goes to the end of `log`."""

    def __init__(self, server: Server, port: int, log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.server, self.base_url, self._log, self._begin = (
            server,
            f"http://127.0.0.1:{port}/v1",
            log,
            log.stat().st_size if log.exists() else 0,
        )
        keeper = os.getpid()
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                list(server.command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **server.environment},
                start_new_session=True,
                preexec_fn=(lambda: die_with_parent(keeper)) if os.name == "posix" else None,
            )

    def answers(self) -> bool:
        """Whether it answers under its own name: another's server may have had the port first."""
        try:
            with _DIRECT.open(f"{self.base_url}/models", timeout=1) as reply:
                return any(model["id"] == self.server.name for model in json.load(reply)["data"])
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            return False

    def said(self) -> str:
        with self._log.open("rb") as file:
            file.seek(self._begin)
            return file.read().decode("utf-8", "replace")

    def failed(self, what: str, help: str) -> StageFailed:
        """An error with what it said last."""
        lines = [line.strip() for line in self.said().splitlines() if line.strip()][-LINES:]
        return StageFailed("\n    ".join([f"its server {what}{':' if lines else ', without a word'}", *lines]), help=f"{self._log} {help}")

    def ended(self) -> StageFailed | None:
        status = self.process.poll()
        if status is None:
            return None
        how = f"was ended by signal {-status}" if status < 0 else f"ended with {status}"
        return self.failed(how, "has all that it said; run again: what is answered is kept")

    def end(self) -> None:
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE)
        self._signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)  # what it started may have stayed
        self.process.wait()
        until = time.monotonic() + GOING
        while self._left() and time.monotonic() < until:  # what comes next needs the memory
            time.sleep(0.01)

    def _left(self) -> bool:
        """Whether something of its group is at work yet, as far as /proc tells. What has ended may stay there until it is collected."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # gone meanwhile
                state, _, group, *_ = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
                if int(group) == self.process.pid and state not in "ZX":
                    return True
        return False

    def _signal(self, number: int) -> None:
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(self.process.pid, number)
            else:
                self.process.terminate()


def free_ports() -> Iterator[int]:
    """Ports that nobody listens at now."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        yield port


def start(make: Make, log: Path, ports: Iterable[int], unwanted: Callable[[], bool] = lambda: False) -> Served:
    """A server that answers, on the first port that it gets. Raises StageFailed where it ends, or does not answer in time; none is left
    then. `unwanted`: whether nobody waits for it any more."""
    for tried, port in enumerate(ports, 1):
        served = Served(make(port), port, log)
        try:
            until = time.monotonic() + served.server.patience
            while not (error := served.ended()):
                if served.answers():
                    return served
                if unwanted() or time.monotonic() > until:
                    raise served.failed(
                        f"has not answered within {served.server.patience:g} s", "has all that it said; a large model needs more `patience`"
                    )
                time.sleep(0.05)
            if tried == STARTS or not _TAKEN.search(served.said()):
                raise error
        except BaseException:
            served.end()
            raise
        served.end()
    raise AssertionError("there are ports enough")


def keep(request: Mapping[str, Any], report: Callable[[Mapping[str, Any]], None], unwanted: threading.Event) -> None:
    """Starts the server that a request is about and stays until it ends, or nobody wants it any more."""
    module, _, name = request["entry"].partition(":")
    make: Make = getattr(importlib.import_module(module), name)(request)
    served = start(make, Path(request["server_log"]), free_ports(), unwanted.is_set)
    try:
        report({"lease": asdict(Lease(served.base_url, served.server.name, served.process.pid))})
        while not unwanted.wait(0.1):
            if error := served.ended():
                raise error
    finally:
        served.end()


def main() -> int:
    """The keeper."""
    results = os.dup(1)
    source = sys.stdin.buffer
    request = json.loads(source.readline())
    redirect(Path(request["log"]))
    unwanted = threading.Event()

    def watch() -> None:
        with contextlib.suppress(OSError):
            source.read(1)
        unwanted.set()

    def report(message: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more
            os.write(results, (json.dumps(message) + "\n").encode())

    threading.Thread(target=watch, daemon=True).start()
    try:
        keep(request, report, unwanted)
    except BaseException as error:
        traceback.print_exc()
        sys.stderr.flush()
        known = error if isinstance(error, DistillError) else DistillError(repr(error), help=f"{request['log']} says more")
        report({"error": {"message": known.message, "help": known.help, "where": known.where or request.get("engine")}})
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    os._exit(status)  # the watching thread sits in a read that nothing ends
