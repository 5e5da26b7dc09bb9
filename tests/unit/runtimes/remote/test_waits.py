"""Who waits for an API says so: not at every pause, and with the reason and how long it will be."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from distillc.plugins.api.artifacts import Decoding, Model, ModelInfo
from distillc.plugins.engines.configs import HttpConfig
from distillc.plugins.engines.http import HttpEngine
from distillc.runtimes.remote import client, waits
from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.runtimes.remote.failures import MayPass
from distillc.runtimes.remote.pacing import Pace
from distillc.runtimes.remote.waits import Waits
from distillc.testing.server import Fault, Script, serve


class Heard(list[dict[str, Any]]):
    def __call__(self, event: str, **fields: Any) -> None:
        assert event == "waits"
        self.append(fields)


def waiting(*moments: tuple[float, float], answered: float | None = None) -> list[float]:
    """When it says so, of waits that begin at a moment and last so long; with an answer at one moment."""
    now, said = 0.0, []
    one = Waits(lambda event, **fields: said.append(now), clock=lambda: now)
    for begun, seconds in moments:
        if answered is not None and now <= answered < begun:
            one.answered()
        now = begun
        one.begins("503", seconds)
    return said


def test_it_says_so_once_nothing_came_for_seconds_and_then_now_and_then() -> None:
    assert waiting((0, 2.9)) == []
    assert waiting((0, 8)) == [0]
    assert waiting((0, 1), (1, 1), (2, 2)) == [2], "the third wait ends 4 s after the first began"
    assert waiting((0, 1), (1, 1), (2, 2), answered=1.5) == []
    assert waiting((0, 30), (1, 30), (29, 30), (30, 30)) == [0, 30], "of many calls that wait for the same one is heard"
    assert waiting(*((moment, 1.0) for moment in range(26))) == [2, 12, 22]


def test_a_limit_and_how_long_it_is_waited_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a stage has it: the engine is told before it opens the model."""
    monkeypatch.setattr(waits, "PATIENCE", 0.2)
    heard = Heard()
    with serve(Script(teacher="echo", faults=(Fault(status=429, retry_after="0.5", times=1),))) as server:
        Endpoint(base_url=server.url, name="Qwen/Qwen3-4B").write(tmp_path)
        (tmp_path / "key.txt").write_text("sk-any", encoding="utf-8")
        engine = HttpEngine(HttpConfig(api_key="${file:key.txt}"))
        engine.tell_by(heard)
        running = engine.open(Model(tmp_path, ModelInfo(format="api", name="big")), seed=0, folder=tmp_path)
        assert len(list(running.generate(["a"], ["a"], Decoding(max_tokens=9)))) == 1
        running.close()
    [said] = heard
    assert said["why"] == "429"
    assert 0.5 <= said["seconds"] <= 0.6, "what it asks for, and up to a tenth more at random"


def test_where_nobody_listens_each_try_is_counted_and_the_end_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "BASE", 0.01)
    monkeypatch.setattr(waits, "PATIENCE", 0.0)
    monkeypatch.setattr(waits, "BETWEEN", 0.0)
    heard = Heard()

    async def ask() -> None:
        calls = Client(Endpoint(base_url="http://127.0.0.1:9/v1", name="m"), None, pace=Pace(1), retries=2, emit=heard)
        try:
            await calls.ask("GET", "/models")
        finally:
            await calls.close()

    with pytest.raises(MayPass, match=r"no connection: .*; tried 3 times"):
        asyncio.run(ask())
    assert [(said["next"], said["tries"]) for said in heard] == [(2, 3), (3, 3)]
    assert all(said["why"].startswith("no connection: ") for said in heard)
