"""One request to a server whose answers are written here, byte for byte."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from distillc.plugins.api.artifacts import Completion
from distillc.runtimes.meter import Meter
from distillc.runtimes.remote import pacing
from distillc.runtimes.remote.answering import Answering
from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.runtimes.remote.failures import Rejected
from distillc.runtimes.remote.pacing import Pace
from distillc.runtimes.work import Allowance
from distillc.spec.errors import BudgetReached, StageFailed

PROMPT = "She go to school."
BODY = {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": PROMPT}]}


@contextmanager
def replying(reply: Callable[[dict[str, Any]], tuple[int, bytes]]) -> Iterator[str]:
    """The base URL of a server that answers a body so: with a status and bytes."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, content = reply(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answers(url: str, count: int = 1, *, retries: int = 0, quiet: bool = False, meter: Meter | None = None) -> list[Completion]:
    """One after the other."""
    loop = asyncio.new_event_loop()
    client = Client(Endpoint(base_url=url, name="m"), None, pace=Pace(1), timeout=10, retries=retries, quiet=quiet)
    try:
        made = Answering(loop, client)
        made.meter = meter
        return [answer for _, answer in made.answers([BODY] * count)]
    finally:
        loop.run_until_complete(client.close())
        loop.close()


def completion(content: str = "It goes.", **message: object) -> dict[str, Any]:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {"choices": [{"message": {"content": content, **message}, "finish_reason": "stop"}], "usage": usage}


def test_half_a_pair_of_surrogates_is_an_answer_that_can_be_written() -> None:
    content = json.dumps(completion("bad \ud83d", reasoning_content="so \ud83d")).encode()
    assert rb"\ud83d" in content
    with replying(lambda _: (200, content)) as url:
        [answer] = answers(url)
    assert (answer.text, answer.reasoning) == ("bad \ufffd", "so \ufffd")


def test_json_without_end_to_its_depth_is_no_json() -> None:
    with replying(lambda _: (200, b"[" * 200_000)) as url, pytest.raises(StageFailed, match="no JSON"):
        answers(url)


@pytest.mark.parametrize("usage", [b'"prompt_tokens": 1e999', b'"prompt_tokens": -1000000', b'"total_tokens": 1' + b"0" * 400])
def test_numbers_of_tokens_that_are_none_are_no_completion(usage: bytes) -> None:
    content = b'{"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": {"completion_tokens": 5, %s}}' % usage
    with replying(lambda _: (200, content)) as url, pytest.raises(StageFailed, match=r"no chat completion.*whole numbers"):
        answers(url)


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_quiet_client_tells_no_prompt_that_the_api_repeats(status: int) -> None:
    def reply(body: dict[str, Any]) -> tuple[int, bytes]:
        message = f"too long [input_value='{body['messages'][-1]['content']}']"
        return status, json.dumps({"error": {"message": message, "code": "bad_input"}}).encode()

    with replying(reply) as url:
        with pytest.raises(StageFailed, match="bad_input") as failed:
            answers(url, quiet=True)
        assert PROMPT not in str(failed.value)
        with pytest.raises(StageFailed, match=PROMPT):
            answers(url)


def test_a_limit_is_waited_out_for_minutes_and_for_more_than_all_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "BASE", 0.01)
    asked: list[object] = []

    def reply(body: dict[str, Any]) -> tuple[int, bytes]:
        asked.append(body)
        refused = len(asked) % 7 != 0
        return (429, b"8 requests per minute") if refused else (200, json.dumps(completion()).encode())

    with replying(reply) as url:
        assert answers(url, retries=2)[0].text == "It goes."
        assert len(asked) == 7
        monkeypatch.setattr(pacing, "PATIENCE", 0.0)
        with pytest.raises(Rejected, match="429: 8 requests per minute; nothing was answered"):
            answers(url, retries=2)
        assert len(asked) == 7 + 3


def test_after_thoughts_beyond_the_limit_a_call_sets_aside_as_much() -> None:
    told = completion(reasoning_content="long")
    told["usage"] = {"prompt_tokens": 10, "completion_tokens": 50_000}
    asked: list[object] = []

    def reply(body: dict[str, Any]) -> tuple[int, bytes]:
        asked.append(body)
        return 200, json.dumps(told).encode()

    meter = Meter(Allowance(tokens=100_100))
    with replying(reply) as url, pytest.raises(BudgetReached):
        answers(url, 3, meter=meter)
    assert len(asked) == 1, "50,010 of 100,100 are spent, and the next may take 50,000 and its prompt's bytes"
    assert meter.spent.tokens == 50_010
