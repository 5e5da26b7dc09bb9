"""A client's side of batches on a real server: what is asked, and what comes of it here and there."""

import asyncio
import json
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from distillc.plugins.api.artifacts import Completion, Decoding
from distillc.runtimes.meter import Meter
from distillc.runtimes.remote import batches, chat, client, jobs, pacing
from distillc.runtimes.remote.batches import Batches
from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.runtimes.remote.pacing import Pace
from distillc.testing.server import Served
from distillc.testing.server.script import Dialect

ROWS = 20


def shorten_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((client, "BASE"), (pacing, "BASE"), (jobs, "FIRST"), (jobs, "BETWEEN")):
        monkeypatch.setattr(module, name, 0.01)
    monkeypatch.setattr(batches, "LOOKS", (0.01, 0.02))


class Asked:
    """A client's side of one run: `answers` by prompt, `said` what was emitted."""

    def __init__(self, url: str, folder: Path, dialect: Dialect, **options: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.endpoint = Endpoint(base_url=url, name="Qwen/Qwen3-4B", dialect=dialect)
        self.client = Client(self.endpoint, "sk-local", pace=Pace(4), timeout=10, retries=2)
        self.said: list[dict[str, Any]] = []
        settings = {"api_key": None, "about": {}, "keep": True, "longest": 0.01, "patience": 1.0, **options}
        self.batches = Batches(self.loop, self.client, folder / "jobs", self.emit, **settings)
        self.answers: dict[str, Completion] = {}

    def emit(self, event: str, **fields: Any) -> None:
        self.said.append({"event": event, **fields})

    def ask(self, rows: int | list[str] = ROWS, meter: Meter | None = None, stop_after: int | None = None) -> dict[str, Completion]:
        prompts = [f"She go to school on day {i}." for i in range(rows)] if isinstance(rows, int) else rows
        constant = chat.constant(self.endpoint, Decoding(max_tokens=64), seed=0, store=None)
        body = lambda prompt: {**constant, "messages": chat.messages(self.endpoint, prompt)}  # noqa: E731
        for got, (index, completion) in enumerate(self.batches.answers(prompts, body, meter), 1):
            name = f"{index} {prompts[index]}"
            assert name not in self.answers, "a row has one answer"
            self.answers[name] = completion
            if got == stop_after:
                break
        return self.answers

    def close(self) -> None:
        self.loop.run_until_complete(self.client.close())
        self.loop.close()

    @property
    def warnings(self) -> list[str]:
        return [event["message"] for event in self.said if event["event"] == "warning"]


@contextmanager
def asked(server: Served, folder: Path, dialect: Dialect = "openai", **options: Any) -> Iterator[Asked]:
    made = Asked(server.url, folder, dialect, **options)
    try:
        yield made
    finally:
        made.close()


def finished(answers: dict[str, Completion]) -> Counter[str]:
    return Counter(answer.finish_reason for answer in answers.values())


def submitted(server: Served) -> int:
    """How many batches there are on the other side."""
    return len([call for call in server.calls("/v1/batches") if call["method"] == "POST" and call["status"] == 200])


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "jobs").iterdir())


def body_of(here: Asked) -> Any:
    constant = chat.constant(here.endpoint, Decoding(max_tokens=64), seed=0, store=None)
    return lambda prompt: {**constant, "messages": chat.messages(here.endpoint, prompt)}


def made(server: Served) -> int:
    """How many batches the server has made: by its own list, which no lost answer changes."""
    return len(listed(server, "batches"))


def listed(server: Served, what: str) -> list[dict[str, Any]]:
    request = urllib.request.Request(f"{server.url}/{what}?limit=100", headers={"authorization": "Bearer sk-local"})
    with urllib.request.urlopen(request) as reply:
        found: list[dict[str, Any]] = json.load(reply)["data"]
        return found
