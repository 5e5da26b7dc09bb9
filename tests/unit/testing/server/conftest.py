"""One server a dialect for all tests here, and a client that has a key."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from distillc.testing.server import Script, Served, serve
from distillc.testing.server.script import Dialect

Ask = Callable[..., httpx.Response]


class Client:
    """Requests as an ordinary client sends them."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.http = httpx.Client(base_url=served.root, headers={"authorization": "Bearer some-key"}, timeout=10)

    def chat(self, text: str, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        request = {"model": "Qwen/Qwen3-4B", "messages": [{"role": "user", "content": text}], **body}
        return self.http.post("/v1/chat/completions", json=request, headers=headers)

    def said(self, text: str, **body: Any) -> str:
        answer: str = self.chat(text, **body).raise_for_status().json()["choices"][0]["message"]["content"]
        return answer

    def upload(self, content: bytes, purpose: str = "batch") -> str:
        answer = self.http.post("/v1/files", files={"file": ("rows.jsonl", content)}, data={"purpose": purpose})
        file_id: str = answer.raise_for_status().json()["id"]
        return file_id

    def content(self, file_id: str) -> bytes:
        return self.http.get(f"/v1/files/{file_id}/content").raise_for_status().content


@pytest.fixture(scope="session")
def _servers() -> Iterator[Callable[[Dialect], Client]]:
    running: dict[Dialect, Client] = {}
    with ExitStack() as opened:

        def client(dialect: Dialect) -> Client:
            if dialect not in running:
                running[dialect] = Client(opened.enter_context(serve(dialect=dialect)))
                opened.enter_context(running[dialect].http)
            return running[dialect]

        yield client


@pytest.fixture
def server(_servers: Callable[[Dialect], Client]) -> Callable[..., Client]:
    """A client of the server that speaks `dialect` and follows `script` from now on."""

    def scripted(dialect: Dialect = "openai", **script: object) -> Client:
        client = _servers(dialect)
        client.served.change(Script.model_validate(script))
        return client

    return scripted
