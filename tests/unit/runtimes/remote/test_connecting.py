"""The addresses that connections go to: names that lead elsewhere when they are asked again, or to several places."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.runtimes.remote.pacing import Pace
from distillc.spec.errors import StageFailed
from distillc.spec.secret import UNTRUSTED
from distillc.testing.server import serve

PUBLIC, HERE = "93.184.216.34", "127.0.0.1"
KEY = "${env:TEACHER_KEY}"

Leads = Callable[..., None]


@pytest.fixture
def leads(monkeypatch: pytest.MonkeyPatch) -> Leads:
    """Says what `evil.example` leads to: the addresses of the first answer, of the second, and so on; none is a name that is not known."""
    real = socket.getaddrinfo

    def become(*answers: list[str]) -> None:
        left = iter(answers)

        def resolve(host: str, port: int | None, *args: Any, **options: Any) -> Any:
            if host != "evil.example":
                return real(host, port, *args, **options)
            if not (found := next(left)):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0)) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)

    return become


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_KEY", "sk-1")
    monkeypatch.setenv("DISTILLC_ALLOW_SECRETS", "env:TEACHER_KEY")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((HERE, 0)) as listener:
        listener.setblocking(False)
        yield listener


def connected(listener: socket.socket) -> bool:
    with contextlib.suppress(BlockingIOError):
        listener.accept()[0].close()
        return True
    return False


def models(url: str, *, key: str | None = None) -> Any:
    async def ask() -> Any:
        client = Client.to(Endpoint(base_url=url, name="m"), key, Path(), pace=Pace(1), timeout=20, retries=0)
        try:
            return await client.call("GET", "/models")
        finally:
            await client.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("first", [[PUBLIC], []], ids=["public at the check", "not known at the check"])
def test_a_name_that_leads_inside_after_the_check_is_not_connected_to(
    first: list[str], leads: Leads, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(UNTRUSTED, "1")
    leads(first, [PUBLIC, HERE])
    with pytest.raises(StageFailed, match=r"leads to 127\.0\.0\.1, a private address"):
        models(f"http://evil.example:{listener.getsockname()[1]}/v1")
    assert not connected(listener)


def test_a_name_that_leads_out_after_the_check_gets_no_key_unencrypted(leads: Leads, listener: socket.socket) -> None:
    leads([HERE], [HERE, PUBLIC])
    with pytest.raises(StageFailed, match="unencrypted"):
        models(f"http://evil.example:{listener.getsockname()[1]}/v1", key=KEY)
    assert not connected(listener)


def test_what_was_checked_is_connected_to_without_asking_again(leads: Leads) -> None:
    with serve() as server:
        leads([HERE], [HERE])
        assert models(server.url.replace(HERE, "evil.example"), key=KEY)["data"]


def test_an_address_that_answers_nothing_costs_one_pause(leads: Leads) -> None:
    with serve() as server:
        port = int(server.url.removesuffix("/v1").rpartition(":")[2])
        with socket.create_server(("127.0.0.2", port), backlog=0), socket.create_connection(("127.0.0.2", port)):  # it takes no more
            leads([HERE], ["127.0.0.2", HERE])
            begun = time.perf_counter()
            assert models(server.url.replace(HERE, "evil.example"), key=KEY)["data"]
            assert 0.2 < time.perf_counter() - begun < 5


def test_a_proxy_of_the_environment_is_asked_by_an_untrusted_spec_too(leads: Leads, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve() as server:
        monkeypatch.setenv(UNTRUSTED, "1")
        monkeypatch.setenv("HTTP_PROXY", server.root)
        leads([])
        assert models("http://evil.example/v1", key=KEY)["data"]
        monkeypatch.setenv("NO_PROXY", "evil.example")
        leads([PUBLIC], [HERE])
        with pytest.raises(StageFailed, match="a private address"):
            models(server.url.replace(HERE, "evil.example"))
