"""A worker process: one request in, lines of JSON out, and gone when its parent is gone.

Lines: whatever the entry reports, then `{"done": true}` or `{"error": {type, message, help, where, traceback}}`. What libraries
print goes to the log, so that it can mix neither with the lines nor with the user's terminal.
"""

import contextlib
import ctypes
import importlib
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """On Linux the kernel kills this process as soon as its parent ends, however that ends. Elsewhere: see `watch`."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)


def watch(stream: BinaryIO) -> None:
    """Ends this process when the other end of the stream is closed, which the system does for a killed parent too."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            stream.read(1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def redirect(log: Path) -> None:
    """Standard output and error of this process and of all C libraries in it to the end of a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)


def work(request: Mapping[str, Any], results: int) -> int:
    """Runs the request's entry and writes the lines to the descriptor `results`. Returns the exit status."""

    def report(message: Mapping[str, Any]) -> None:
        data = (json.dumps(message, default=str) + "\n").encode()
        while data:
            data = data[os.write(results, data) :]

    try:
        module, _, name = request["entry"].partition(":")
        entry: Callable[..., None] = getattr(importlib.import_module(module), name)
        entry(request, report)
    except BaseException as error:
        trace = traceback.format_exc()
        with contextlib.suppress(OSError):
            sys.stderr.write(trace)
            sys.stderr.flush()
        fields = {name: getattr(error, name, None) for name in ("help", "where")}
        report({"error": {"type": type(error).__name__, "message": str(error), "traceback": trace, **fields}})
        return 1
    report({"done": True})
    return 0


def main() -> int:
    """Without fork: the request comes as the first line of standard input, the lines go to what was standard output."""
    results = os.dup(1)
    source = sys.stdin.buffer
    request = json.loads(source.readline())
    redirect(Path(request["log"]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch(source)
    return work(request, results)


if __name__ == "__main__":
    status = main()
    os._exit(status)  # the watching thread sits in a read that nothing ends
