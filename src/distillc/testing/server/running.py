"""Starts a server on loopback: in a thread of this process, or in a process of its own where speed is measured."""

import contextlib
import json
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from distillc.testing.server.app import application
from distillc.testing.server.clock import Clock
from distillc.testing.server.script import Dialect, Script
from distillc.testing.server.state import State


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: `url` ends in /v1 and is the base URL of clients."""

    url: str

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    def calls(self, path: str = "") -> list[dict[str, Any]]:
        """What the server was asked, oldest first; on one path, if it is given."""
        calls: list[dict[str, Any]] = self._ask(f"/_log?path={path}")["calls"]
        return calls

    def totals(self) -> dict[str, Any]:
        """Calls, most at one time, most tries of one request, and what each model was asked for in tokens."""
        return self._ask("/_totals")

    def advance(self, seconds: float) -> None:
        self._ask("/_clock", "POST", json.dumps({"advance": seconds}))

    def change(self, script: Script) -> None:
        self._ask("/_script", "PUT", script.model_dump_json())

    def _ask(self, path: str, method: str = "GET", body: str | None = None) -> dict[str, Any]:
        request = urllib.request.Request(self.root + path, body.encode() if body else None, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
        return told


class _Connection(HttpToolsProtocol):
    """Lets the application end its connection, by a reset too, which ASGI has no word for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["connection"] = self.end  # type: ignore[typeddict-unknown-key]

    def end(self, politely: bool) -> None:
        sock = self.transport.get_extra_info("socket")
        if politely:
            self.transport.close()
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # on, 0 seconds: close sends a reset
            self.transport.abort()


def server(state: State) -> uvicorn.Server:
    config = uvicorn.Config(
        application(state), http=_Connection, ws="none", lifespan="off", log_level="critical", access_log=False, timeout_graceful_shutdown=1
    )
    return uvicorn.Server(config)


def listening(port: int) -> socket.socket:
    sock = socket.create_server(("127.0.0.1", port), backlog=2048)
    sock.set_inheritable(True)
    return sock


def base_url(sock: socket.socket) -> str:
    return f"http://127.0.0.1:{sock.getsockname()[1]}/v1"


@contextlib.contextmanager
def serve(script: Script | None = None, *, dialect: Dialect = "openai", step: float = 600.0, process: bool = False) -> Iterator[Served]:
    """A server for the length of the block. `step`: see Clock. `process`: in a process of its own, so that it takes no time from ours."""
    script = script or Script()
    with _process(script, dialect, step) if process else _thread(State(dialect, script, Clock(step))) as url:
        yield Served(url)


@contextlib.contextmanager
def _thread(state: State) -> Iterator[str]:
    running, sock = server(state), listening(0)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    try:
        while not running.started and thread.is_alive():
            time.sleep(0.001)
        yield base_url(sock)
    finally:
        running.should_exit = True
        thread.join()
        sock.close()


@contextlib.contextmanager
def _process(script: Script, dialect: Dialect, step: float) -> Iterator[str]:
    options = ["--port", "0", "--dialect", dialect, "--step", str(step), "--script", script.model_dump_json()]
    with subprocess.Popen([sys.executable, "-m", "distillc.testing.server", *options], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            url = child.stdout.readline().strip()
            if not url:
                raise RuntimeError("the server did not start; what it said is above")
            yield url
        finally:
            child.terminate()
