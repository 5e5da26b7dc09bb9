"""HTTP/2 over TLS, as the services speak it: a server by Hypercorn with a certificate of an authority that nobody knows."""

import asyncio
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypercorn.asyncio import serve as hypercorn
from hypercorn.config import Config

from distillc.runtimes.remote import client, pacing
from distillc.spec.errors import StageFailed
from distillc.testing.server.app import application
from distillc.testing.server.clock import Clock
from distillc.testing.server.script import Script
from distillc.testing.server.state import State
from tests.unit.runtimes.remote.test_answering import answering, bodies

ROWS = {number: f"row {number}" for number in range(40)}


@dataclass
class Secure:
    """A server at work; `calls` has of each call the version of HTTP and the port that it came from. `most`: calls at one time."""

    authority: Path
    port: int = 0
    calls: list[tuple[str, int]] = field(default_factory=list)
    at_once: int = 0
    most: int = 0
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/v1"

    def connections(self) -> int:
        return len({port for _, port in self.calls})

    def drop(self) -> None:
        """Every connection ends, whatever is under way on it."""
        for writer in self.writers:
            writer.transport.abort()


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "BASE", 0.01)
    monkeypatch.setattr(pacing, "BASE", 0.01)


@contextmanager
def secure(folder: Path, *, latency: float = 0.02, drops: Collection[int] = (), **settings: Any) -> Iterator[Secure]:
    """`settings` are Hypercorn's. `drops`: all connections end when the call with such a number has come and is not answered yet."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    here = Secure(folder / "authority.pem")
    inner = application(State("openai", Script(teacher="echo", latency=latency), Clock(600)))

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise NotImplementedError("no lifespan")
        here.calls.append((scope["http_version"], scope["client"][1]))
        here.at_once += 1
        here.most = max(here.most, here.at_once)
        if len(here.calls) in drops:
            here.drop()
        try:
            await inner(scope, receive, send)
        finally:
            here.at_once -= 1

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            try:
                while data := await source.read(65536):
                    target.write(data)
                    await target.drain()
            except OSError:
                pass
            finally:
                target.close()

        here.writers.add(writer)
        behind = await asyncio.open_connection("127.0.0.1", upstream)
        await asyncio.gather(pipe(reader, behind[1]), pipe(behind[0], writer))
        here.writers.discard(writer)

    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.certfile = config.keyfile = str(folder / "server.pem")
    config.alpn_protocols = ["h2"]
    config.errorlog = None
    config.graceful_timeout = 0.1
    for name, value in settings.items():
        setattr(config, name, value)
    sockets = config.create_sockets()
    config.create_sockets = lambda: sockets  # type: ignore[method-assign]
    upstream = sockets.secure_sockets[0].getsockname()[1]
    ready, end, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    async def work() -> None:
        front = await asyncio.start_server(relay, "127.0.0.1", 0)
        here.port = front.sockets[0].getsockname()[1]
        serving = asyncio.create_task(hypercorn(counted, config, shutdown_trigger=end.wait, mode="asgi"))
        ready.set()
        await serving
        front.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(work()), daemon=True)
    thread.start()
    try:
        assert ready.wait(10)
        yield here
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(10)
        loop.close()


def texts(server: Secure, *, concurrency: int = 8, retries: int = 3, rows: int = len(ROWS)) -> dict[int, str]:
    with answering(server.url, concurrency=concurrency, retries=retries) as made:
        return {number: answer.text for number, answer in made.answers(bodies(rows))}


def test_calls_go_side_by_side_over_one_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with secure(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
        assert texts(server) == ROWS
        assert {version for version, _ in server.calls} == {"2"}
        assert (len(server.calls), server.connections(), server.most) == (len(ROWS), 1, 8)


def test_calls_on_a_connection_that_is_lost_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with secure(tmp_path, drops=[20], latency=0.1) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
        assert texts(server) == ROWS
        assert server.connections() == 2
        assert 1 <= len(server.calls) - len(ROWS) <= 8, "those that were under way, and no others"


def test_a_connection_may_be_lost_while_requests_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then TLS ends where httpcore looks for no end (anyio.EndOfStream), in about every third of these."""
    drops = range(5, 80, 5)
    with secure(tmp_path, drops=drops, latency=0.0) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
        assert texts(server, retries=len(drops)) == ROWS
        assert server.connections() > 5


def test_a_server_that_says_goodbye_is_called_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GOAWAY, as load balancers send it after so many calls: here after twenty on each connection, while others are under way."""
    with secure(tmp_path, keep_alive_max_requests=20) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
        assert texts(server, concurrency=4) == ROWS
        assert server.connections() >= 2 and len(server.calls) > len(ROWS)
        assert {version for version, _ in server.calls} == {"2"}


def test_an_authority_that_nobody_knows_is_refused_and_trusted_once_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with secure(tmp_path) as server:
        with pytest.raises(StageFailed, match="its certificate is not trusted here") as refused:
            texts(server, rows=1)
        assert server.url in refused.value.message and "SSL_CERT_FILE" in str(refused.value.help)
        assert server.calls == []
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
        assert texts(server, rows=1) == {0: "row 0"}
