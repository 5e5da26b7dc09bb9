"""What the workers of `test_local.py` do: imported by name in another process, as a stage is."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from distillc.spec.errors import StoreDamaged

Report = Callable[[Mapping[str, Any]], None]


def entry(request: Mapping[str, Any], report: Report) -> None:
    ACTIONS[request["work"]["stage"]["id"]](request, report)


def shards(request: Mapping[str, Any], report: Report) -> None:
    for shard in request["shards"]:
        report({"shard": shard["number"]})


def chatty(request: Mapping[str, Any], report: Report) -> None:
    print("a library prints")
    os.write(2, b"and C prints\n")


def facts(request: Mapping[str, Any], report: Report) -> None:
    path = Path(request["work"]["where"]["work"]) / "facts"
    path.write_text(f"{os.getpid()} {os.getppid()} {'json' in sys.modules and 'decimal' in sys.modules} {hash('a')}")


def fails(request: Mapping[str, Any], report: Report) -> None:
    raise StoreDamaged("bytes are wrong", help="do this", where="blob 7")


def breaks(request: Mapping[str, Any], report: Report) -> None:
    raise ZeroDivisionError("by nought")


def killed(request: Mapping[str, Any], report: Report) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crashes(request: Mapping[str, Any], report: Report) -> None:
    os._exit(7)


def sleeps(request: Mapping[str, Any], report: Report) -> None:
    folder = Path(request["work"]["where"]["work"])
    (folder / "pid.new").write_text(str(os.getpid()))
    (folder / "pid.new").rename(folder / "pid")
    time.sleep(60)


def spins(request: Mapping[str, Any], report: Report) -> None:
    """Holds the interpreter's lock in C: no thread of this process can run."""
    folder = Path(request["work"]["where"]["work"])
    (folder / "pid.new").write_text(str(os.getpid()))
    (folder / "pid.new").rename(folder / "pid")
    sum(range(10**11))


ACTIONS = {f.__name__: f for f in (shards, chatty, facts, fails, breaks, killed, crashes, sleeps, spins)}
