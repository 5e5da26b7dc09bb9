"""Calls to a server that does what servers do: what each fault comes to, how often it is asked, and what reaches whoever waits."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate

import httpx
import pytest

from distillc.plugins.api.artifacts import Completion, Decoding
from distillc.runtimes.meter import Meter
from distillc.runtimes.remote import chat, client, pacing
from distillc.runtimes.remote.answering import Answering
from distillc.runtimes.remote.client import Client, check_name
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.runtimes.remote.failures import MayPass, Rejected
from distillc.runtimes.remote.pacing import Pace
from distillc.runtimes.work import Allowance
from distillc.spec.errors import BudgetReached, StageFailed
from distillc.testing.server import Fault, Script, Served, Teach, serve
from distillc.testing.server.script import Dialect

KEY = "sk-local-0123456789"
CHAT = "/v1/chat/completions"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "BASE", 0.01)
    monkeypatch.setattr(pacing, "BASE", 0.01)
    monkeypatch.setattr(pacing, "PATIENCE", 0.0)


@contextmanager
def answering(
    url: str,
    *,
    key: str | None = KEY,
    concurrency: int | None = 4,
    timeout: float = 10,
    retries: int = 3,
    name: str = "Qwen/Qwen3-4B",
    dialect: Dialect = "generic",
) -> Iterator[Answering]:
    loop = asyncio.new_event_loop()
    endpoint = Endpoint(base_url=url, name=name, dialect=dialect)
    calls = Client(endpoint, key, pace=Pace(concurrency), timeout=timeout, retries=retries)
    made = Answering(loop, calls)
    try:
        yield made
    finally:
        loop.run_until_complete(calls.close())
        loop.close()


def bodies(count: int, **decoding: int) -> list[dict[str, object]]:
    endpoint = Endpoint(base_url="", name="Qwen/Qwen3-4B")
    constant = chat.constant(endpoint, Decoding(**decoding), seed=0, store=None)  # type: ignore[arg-type]
    return [{**constant, "messages": chat.messages(endpoint, f"row {i}")} for i in range(count)]


def answers(server: Served, count: int = 1, **options: object) -> dict[int, Completion]:
    with answering(server.url, **options) as made:  # type: ignore[arg-type]
        return dict(made.answers(bodies(count)))


def test_each_prompt_is_answered_once_and_what_was_asked_is_what_was_sent() -> None:
    with serve(Script(teacher="echo")) as server:
        found = answers(server, 50)
        calls = server.calls(CHAT)
    assert {index: answer.text for index, answer in found.items()} == {i: f"row {i}" for i in range(50)}
    assert len(calls) == 50
    assert all(call["parameters"] == {"model": "Qwen/Qwen3-4B", "max_tokens": 64, "temperature": 0.0} for call in calls)


# What passes: the fault, and how often the one row is asked in all.
PASSES = {
    "500 once": (Fault(status=500, first=1), 2),
    "503 twice": (Fault(status=503, first=2), 3),
    "408 once": (Fault(status=408, first=1), 2),
    "hung up on": (Fault(kind="hang_up", first=1), 2),
    "reset within the body": (Fault(kind="reset", first=1), 2),
    "cut within the body": (Fault(kind="cut", first=1), 2),
    "429 that says when": (Fault(status=429, retry_after="0.05", first=2), 3),
    "429 that does not": (Fault(status=429, first=2), 3),
    "too slow once": (Fault(kind="slow", seconds=3, first=1), 2),
    "no answer in time once": (Fault(kind="delay", seconds=3, first=1), 2),
    "slow and in time": (Fault(kind="slow", seconds=0.2), 1),
}


@pytest.mark.parametrize("case", PASSES)
def test_what_passes_is_tried_again(case: str) -> None:
    fault, asked = PASSES[case]
    with serve(Script(teacher="echo", faults=(fault,))) as server:
        found = answers(server, timeout=0.5)
        assert found[0].text == "row 0"
        assert len(server.calls(CHAT)) == asked


# What does not: the fault, how often it is asked, what the error says, and what its help says.
FAILS = {
    "400": (Fault(status=400), 1, "400: The server was told to fail", "change what the API does not take"),
    "401": (Fault(status=401), 1, "401", "`api_key`"),
    "403": (Fault(status=403), 1, "403", "`api_key`"),
    "404": (Fault(status=404), 1, "404", "`base_url`"),
    "422": (Fault(status=422), 1, "422", "change what the API does not take"),
    "402": (Fault(status=402), 1, "402", "top it up"),
    "501": (Fault(status=501), 1, "501", "change what"),
    "500 for good": (Fault(status=500), 4, "500: The server was told to fail", "run again"),
    "reset for good": (Fault(kind="reset"), 4, "Qwen3-4B` at http", "run again"),
    "429 for good": (Fault(status=429), 4, "429: The server was told to fail.; nothing was answered", "`concurrency`"),
    "429 for hours": (Fault(status=429, retry_after="9000"), 1, "asks for a wait of 2.5 hours", "run again"),
    "too slow for good": (Fault(kind="slow", seconds=2), 4, "no whole answer in 0.2 s", "`timeout`"),
    "half an answer as if whole": (Fault(kind="half"), 1, "no JSON", "run again"),
    "a page": (Fault(kind="html"), 1, "no JSON .* text/html", "`base_url`"),
    "nothing": (Fault(kind="no_body"), 1, "no JSON .0 bytes", "`base_url`"),
    "other JSON": (Fault(kind="other_shape"), 1, "no chat completion", "`base_url`"),
}


@pytest.mark.parametrize("dialect", ["openai", "nebius"])
@pytest.mark.parametrize("case", FAILS)
def test_what_does_not_pass_is_one_clear_error(case: str, dialect: Dialect) -> None:
    fault, asked, message, help = FAILS[case]
    with serve(Script(teacher="echo", faults=(fault,)), dialect=dialect) as server:
        with pytest.raises(StageFailed, match=message) as failed:
            answers(server, timeout=0.2 if fault.kind == "slow" else 10)
        assert help in str(failed.value.help)
        assert failed.value.exit_code == 5
        assert KEY not in str(failed.value)
        assert len(server.calls(CHAT)) == asked


def test_an_address_where_nobody_listens_is_tried_and_named() -> None:
    with answering("http://127.0.0.1:9/v1", retries=1) as made, pytest.raises(MayPass, match=r"at http://127\.0\.0\.1:9/v1: .*failed"):
        list(made.answers(bodies(1)))


def test_after_an_error_no_call_begins_and_those_in_flight_are_waited_for() -> None:
    script = Script(teacher="echo", latency=0.3, faults=(Fault(status=400, contains='"row 2"'),))
    with serve(script) as server, answering(server.url, concurrency=4) as made:
        got = []
        with pytest.raises(Rejected):
            for index, _ in made.answers(bodies(40)):
                got.append(index)
        assert sorted(got) == [0, 1, 3]
        assert len(server.calls(CHAT)) == 4


def test_who_sleeps_between_two_tries_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "BASE", 1000.0)
    monkeypatch.setattr(client.random, "uniform", lambda low, high: high)  # the whole minute that is the longest
    faults = (Fault(status=500, contains='"row 0"'), Fault(kind="status", status=401, contains='"row 1"'))
    with serve(Script(teacher="echo", faults=faults)) as server, answering(server.url) as made:
        started = time.monotonic()
        with pytest.raises(StageFailed):
            list(made.answers(bodies(2)))
        assert time.monotonic() - started < 30


def test_no_more_calls_are_out_than_are_taken_in() -> None:
    """Whoever is killed while it writes down an answer loses what is in flight: the calls so far are at most answers plus those."""
    with serve(Script(teacher="echo")) as server, answering(server.url, concurrency=4) as made:
        taken = 0
        for _ in made.answers(bodies(40)):
            asked = len(server.calls(CHAT))
            assert asked <= taken + 4
            taken += 1
    assert taken == 40


@pytest.mark.parametrize("dialect", ["openai", "nebius"])
def test_a_limit_of_requests_is_kept_after_it_was_met_once(dialect: Dialect) -> None:
    script = Script(teacher="echo", requests_per_minute=10, window=0.5)
    with serve(script, dialect=dialect) as server:
        found = answers(server, 35, concurrency=8)
        calls = server.calls(CHAT)
    assert len(found) == 35
    refused = sum(call["status"] == 429 for call in calls)
    assert refused <= 4, "what is left is told with each answer"
    assert len(calls) == 35 + refused


@pytest.mark.parametrize("dialect", ["openai", "nebius"])
def test_a_limit_of_tokens_is_kept_too(dialect: Dialect) -> None:
    script = Script(teacher="echo", tokens_per_minute=400, window=0.5)  # of about 27 a call
    with serve(script, dialect=dialect) as server:
        assert len(answers(server, 40, concurrency=8)) == 40


def test_a_date_to_come_back_at_is_waited_for() -> None:
    again = time.time() + 2
    fault = Fault(status=429, retry_after=formatdate(again, usegmt=True), first=1)
    with serve(Script(teacher="echo", faults=(fault,))) as server:
        assert answers(server)[0].text == "row 0"
        assert len(server.calls(CHAT)) == 2
    assert int(again) <= time.time() < again + 5  # such a date has whole seconds


def test_what_the_filter_holds_back_is_an_answer_of_its_class_and_no_error() -> None:
    with serve(Script(teach=(Teach(teacher="filter", contains="row 1"), Teach(teacher="refuse", contains="row 2")))) as server:
        found = answers(server, 3)
    assert [found[i].finish_reason for i in range(3)] == ["stop", "content_filter", "refusal"]


def told(monkeypatch: pytest.MonkeyPatch, *replies: httpx.Response) -> list[httpx.Request]:
    """What a server that answers so is asked: the last reply again and again."""
    asked: list[httpx.Request] = []

    async def reply(_: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return replies[min(len(asked), len(replies)) - 1]

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", reply)
    return asked


def test_a_filter_that_answers_with_an_error_is_a_filter_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"error": {"message": "The response was filtered", "type": None, "param": "prompt", "code": "content_filter", "status": 400}}
    asked = told(monkeypatch, httpx.Response(400, json=error))
    with answering("http://x/v1") as made:
        made.meter = meter = Meter(Allowance(calls=2))
        going = made.answers(bodies(3))
        for _ in range(2):
            assert next(going)[1] == Completion(text="", finish_reason="content_filter", prompt_tokens=0, completion_tokens=0)
        with pytest.raises(BudgetReached):
            next(going)
    assert len(asked) == meter.spent.calls == 2, "a call that is filtered is a call"


FINE = {
    "choices": [{"message": {"role": "assistant", "content": "fine"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1},
}
TOO_LONG = (
    {"error": {"message": "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.", "code": 400}},
    {"error": {"message": "Requested tokens (600) exceed context window of 512", "code": "context_length_exceeded"}},
    {"error": {"code": 400, "message": "the request exceeds the available context size", "type": "exceed_context_size_error"}},
)  # vLLM, llama-cpp-python and OpenAI, llama.cpp


@pytest.mark.parametrize("error", TOO_LONG, ids=["vllm", "openai", "llama.cpp"])
def test_a_prompt_that_is_too_long_for_the_model_is_the_end_of_its_row_alone(monkeypatch: pytest.MonkeyPatch, error: object) -> None:
    told(monkeypatch, httpx.Response(400, json=error), httpx.Response(200, json=FINE))
    with answering("http://x/v1", concurrency=1) as made:
        assert [(answer.text, answer.finish_reason) for _, answer in made.answers(bodies(2))] == [("", "too_long"), ("fine", "stop")]


def test_another_row_that_is_turned_down_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, httpx.Response(400, json={"error": {"message": "No", "code": "bad"}}))
    with answering("http://x/v1") as made, pytest.raises(Rejected) as turned_down:
        list(made.answers(bodies(1)))
    assert turned_down.value.message.endswith("400: No; asked was 'row 0'")


def test_an_empty_account_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    error = {
        "error": {"message": "You exceeded your current quota", "type": "insufficient_quota", "param": None, "code": "insufficient_quota"}
    }
    asked = told(monkeypatch, httpx.Response(429, json=error))
    with answering("http://x/v1") as made, pytest.raises(Rejected, match="429: You exceeded your current quota") as failed:
        list(made.answers(bodies(1)))
    assert "top it up" in str(failed.value.help)
    assert len(asked) == 1


def test_an_error_with_status_200_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, httpx.Response(200, json={"error": {"message": "No endpoints found", "code": 404}}))
    with answering("http://x/v1") as made, pytest.raises(Rejected, match="No endpoints found"):
        list(made.answers(bodies(1)))


def test_a_redirect_is_not_followed_with_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = told(monkeypatch, httpx.Response(301, headers={"location": "https://elsewhere/v1"}))
    with answering("http://x/v1") as made, pytest.raises(Rejected, match="301") as failed:
        list(made.answers(bodies(1)))
    assert "leads elsewhere" in str(failed.value.help)
    assert [request.url.host for request in asked] == ["x"]


def test_a_key_that_the_server_repeats_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, httpx.Response(401, json={"error": {"message": f"Incorrect API key provided: {KEY}."}}))
    with answering("http://x/v1") as made, pytest.raises(Rejected, match=r"Incorrect API key provided: …\.") as failed:
        list(made.answers(bodies(1)))
    assert KEY not in str(failed.value)


def test_an_error_that_repeats_the_prompt_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    detail = [{"loc": ["body", "messages", 0, "content"], "msg": "Too long", "type": "value_error", "input": "secret words", "ctx": {}}]
    told(monkeypatch, httpx.Response(422, json={"detail": detail}))
    with answering("http://x/v1") as made, pytest.raises(Rejected, match=r"422 `messages\.0\.content`: Too long") as failed:
        list(made.answers(bodies(1)))
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    ("teacher", "finish"),
    [
        ("grammar", "stop"),
        ("think", "stop"),
        ("think_without_start", "stop"),
        ("think_without_end", "error"),
        ("reasoning_content", "stop"),
        ("reasoning", "stop"),
        ("truncate", "length"),
        ("decline", "refusal"),
        ("tool", "tool_calls"),
        ("empty", "stop"),
        ("null", "stop"),
    ],
)
def test_no_habit_of_a_teacher_gets_into_the_answer(teacher: str, finish: str) -> None:
    with serve(Script.model_validate({"teacher": teacher})) as server:
        answer = answers(server)[0]
    assert answer.finish_reason == finish
    assert "think" not in answer.text.lower() and "Okay" not in answer.text
    assert bool(answer.reasoning) == (teacher.startswith(("think", "reasoning")))


def test_the_meter_is_asked_before_each_call_and_the_budget_is_not_overshot() -> None:
    with serve(Script(teacher="echo")) as server, answering(server.url) as made:
        meter = Meter(Allowance(tokens=600))
        made.meter = meter
        got = []
        with pytest.raises(BudgetReached, match="tokens"):
            for _, answer in made.answers(bodies(200)):
                got.append(answer.prompt_tokens + answer.completion_tokens)
        assert len(server.calls(CHAT)) == len(got)
    assert sum(got) == meter.spent.tokens <= 600
    assert meter.in_flight == 0
    assert sum(got) > 600 - 200, "a call reserves 170 at most: the last ones wait for what others leave over"


def test_a_refused_call_costs_nothing() -> None:
    with serve(Script(teacher="echo", faults=(Fault(status=429, first=1),))) as server, answering(server.url) as made:
        made.meter = meter = Meter(Allowance())
        list(made.answers(bodies(3)))
    assert (meter.spent.calls, meter.in_flight) == (3, 0)


def test_each_try_that_may_be_billed_is_reserved_and_counts() -> None:
    """The server bills what it answered, though the first two answers of each request were torn on their way."""
    with serve(Script(teacher="echo", faults=(Fault(kind="reset", first=2),))) as server, answering(server.url) as made:
        made.meter = meter = Meter(Allowance())
        got = [answer for _, answer in made.answers(bodies(5))]
        [billed] = server.totals()["totals"].values()
    assert (len(got), meter.spent.calls, meter.lost.calls, meter.in_flight) == (5, 15, 10, 0)
    assert billed["calls"] == 15
    assert meter.spent.tokens >= billed["prompt_tokens"] + billed["completion_tokens"]


def test_no_try_goes_beyond_the_budget() -> None:
    with serve(Script(teacher="echo", faults=(Fault(kind="reset"),))) as server, answering(server.url) as made:
        made.meter = meter = Meter(Allowance(calls=4))
        with pytest.raises(BudgetReached, match="no further call"):
            list(made.answers(bodies(3)))
        assert len(server.calls(CHAT)) == meter.lost.calls == 4


def test_an_iteration_that_is_left_leaves_nothing_in_flight() -> None:
    with serve(Script(teacher="echo", latency=0.05)) as server, answering(server.url) as made:
        for _ in made.answers(bodies(20)):
            break
        assert dict(made.answers(bodies(2)))[1].text == "row 1"
        assert len(server.calls(CHAT)) <= 4 + 2 + 1


def test_an_iteration_is_left_in_peace_while_a_call_is_just_done() -> None:
    with serve(Script(teacher="echo")) as server, answering(server.url) as made:
        going = made.answers(bodies(20))
        next(going)
        until = time.monotonic() + 10
        while not any(task.done() for task in made._flying):  # its callback is the loop's next step
            assert time.monotonic() < until
            made._loop.call_soon(made._loop.stop)
            made._loop.run_forever()
        going.close()  # type: ignore[attr-defined]
        assert dict(made.answers(bodies(2)))[1].text == "row 1"


def named(server: Served, name: str, **options: object) -> None:
    with answering(server.url, name=name, **options) as made:  # type: ignore[arg-type]
        made._loop.run_until_complete(check_name(made._client))


def test_a_name_that_the_api_does_not_know_is_found_before_anything_is_asked() -> None:
    with serve(Script(models=("Qwen/Qwen3-4B", "Qwen/Qwen3-14B"))) as server:
        named(server, "Qwen/Qwen3-4B")
        with pytest.raises(Rejected, match="no model of this name") as failed:
            named(server, "Qwen/Qwen3-4b")
        assert failed.value.help == "did you mean `Qwen/Qwen3-4B`?"
        with pytest.raises(Rejected) as failed:
            named(server, "gpt")
        assert failed.value.help == "its models: `Qwen/Qwen3-14B`, `Qwen/Qwen3-4B`"
        assert server.calls(CHAT) == []


def test_a_server_without_a_list_of_models_is_asked_all_the_same() -> None:
    for fault in (Fault(status=404, method="GET", path="/v1/models"), Fault(kind="other_shape", method="GET", path="/v1/models")):
        with serve(Script(faults=(fault,))) as server:
            named(server, "any name")


def test_a_key_that_is_refused_is_found_before_anything_is_asked() -> None:
    with serve(Script(keys=("another",))) as server, pytest.raises(Rejected, match="401: Incorrect API key provided"):
        named(server, "Qwen/Qwen3-4B")


def test_a_model_without_a_key_is_told_where_one_goes() -> None:
    with serve(Script()) as server, pytest.raises(Rejected, match="401") as refused, answering(server.url, key=None) as made:
        made._loop.run_until_complete(check_name(made._client))
    assert 'the model has no key: write `api_key: "${env:NAME}"`' in str(refused.value.help)


def test_an_address_with_https_where_nothing_speaks_tls_says_so() -> None:
    with (
        serve(Script()) as server,
        pytest.raises(StageFailed, match="speaks no TLS") as refused,
        answering(server.url.replace("http://", "https://")) as made,
    ):
        list(made.answers(bodies(1)))
    assert "http://" in str(refused.value.help)


def test_a_list_of_models_that_comes_late_is_waited_for() -> None:
    fault = Fault(status=429, retry_after="0.05", method="GET", path="/v1/models", first=1)
    with serve(Script(faults=(fault,))) as server:
        named(server, "Qwen/Qwen3-4B")


@pytest.mark.parametrize("key", ["sk-abc\n", "sk abc", "sk-äöü"])
def test_a_key_that_no_header_takes_is_not_shown(key: str) -> None:
    with pytest.raises(StageFailed, match="characters that no key has") as failed, answering("http://127.0.0.1:9/v1", key=key):
        pass
    assert "abc" not in str(failed.value) and "äöü" not in str(failed.value)
