"""A small process that has imported what is heavy and forks a worker for each request: a stage then starts in milliseconds.

Why not multiprocessing's: its children hold the pipe that its server watches, so a killed driver leaves a training running;
and each child imports the driver's main module again. Here the chain is short: the kernel kills the server with the driver and
the workers with the server.

The control socket carries `{"job": n, "import": [modules]}` lines, each with two descriptors (request to read, lines to write),
and back `{"job": n, "pid": p}` when the worker lives and `{"job": n, "status": s}` (as os.waitstatus_to_exitcode) when it ended.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from distillc.plugins.executors.worker import die_with_parent, redirect, work

LINE = 1 << 16


def main(fd: int, parent: int) -> None:
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to handle
    wake, waker = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    control = socket.socket(fileno=fd)
    children: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([control.fileno(), wake], [], [])
        if wake in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(wake, LINE)
            for pid, status in _ended(children):
                _send(control, job=children.pop(pid), status=status)
        if control.fileno() in ready:
            data, fds, _, _ = socket.recv_fds(control, LINE, 2)
            if not data:  # the driver closed or died
                for pid in children:
                    os.kill(pid, signal.SIGKILL)
                return
            ask = json.loads(data)
            preload(ask["import"])
            server = os.getpid()
            pid = os.fork()
            if pid == 0:
                _child(server, fds, [control.fileno(), wake, waker])
            children[pid] = ask["job"]
            for passed in fds:
                os.close(passed)
            _send(control, job=ask["job"], pid=pid)


def preload(modules: list[str]) -> None:
    """Imports what is not imported yet; what can't be, the worker will say in its own words."""
    fresh = [name for name in modules if name not in sys.modules]
    for name in fresh:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    if fresh:
        gc.collect()
        gc.freeze()  # pages that no collection touches stay shared with the children


def _child(server: int, fds: list[int], close: list[int]) -> None:
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        die_with_parent(server)
        for fd in close:
            os.close(fd)
        with os.fdopen(fds[0], "rb") as stream:
            request: dict[str, Any] = json.loads(stream.read())
        redirect(Path(request["log"]))
        status = work(request, fds[1])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Not sys.exit: it would run exit handlers of the server's libraries on forked state.
        os._exit(status)


def _ended(children: dict[int, int]) -> list[tuple[int, int]]:
    ended = []
    for pid in list(children):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            ended.append((pid, os.waitstatus_to_exitcode(status)))
    return ended


def _send(control: socket.socket, **message: int) -> None:
    with contextlib.suppress(OSError):
        control.sendall((json.dumps(message) + "\n").encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
