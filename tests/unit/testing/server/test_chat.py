import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from distillc.testing.server import Script
from distillc.testing.server.chat import complete
from tests.unit.testing.server.conftest import Client

Server = Callable[..., Client]


def test_a_reply_has_the_recorded_fields_of_nebius(server: Server) -> None:
    reply = server("nebius").chat("he go").json()
    # The first line of the batch output of the public walk-through, and the catalogue's chat replies.
    assert set(reply) == {
        "id", "choices", "created", "model", "object", "service_tier", "system_fingerprint", "usage", "prompt_logprobs",
    }  # fmt: skip
    (choice,) = reply["choices"]
    assert set(choice) == {"finish_reason", "index", "logprobs", "message", "stop_reason"}
    assert set(choice["message"]) == {
        "content", "refusal", "role", "annotations", "audio", "function_call", "tool_calls", "reasoning_content",
    }  # fmt: skip
    assert set(reply["usage"]) == {
        "completion_tokens", "prompt_tokens", "total_tokens", "completion_tokens_details", "prompt_tokens_details",
    }  # fmt: skip
    assert choice["message"]["content"] == "He goes."


def test_the_official_client_reads_a_reply_and_a_stream(server: Server) -> None:
    openai = pytest.importorskip("openai")
    client = openai.OpenAI(base_url=server().served.url, api_key="k", max_retries=0)
    ask = {"model": "m", "messages": [{"role": "user", "content": "he go to school"}]}
    assert client.chat.completions.create(**ask).choices[0].message.content == "He goes to school."
    chunks = list(client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]) == "He goes to school."
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]][-2:] == [None, "stop"]
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 5
    assert client.models.list().data[0].id == "Qwen/Qwen3-235B-A22B"


def test_usage_counts_pieces_and_four_more_a_message(server: Server) -> None:
    messages = [{"role": "system", "content": "Correct it."}, {"role": "user", "content": "he go"}]
    usage = server().chat("", messages=messages).json()["usage"]
    # "Correc" "t" " it" "." and "he" " go": 4 + 2, and 4 for each message. "He" " goes" ".".
    assert usage == {"prompt_tokens": 14, "completion_tokens": 3, "total_tokens": 17}


@pytest.mark.parametrize(
    ("teacher", "content", "reason"),
    [
        ("grammar", "He goes.", "stop"),
        ("echo", "he go", "stop"),
        ("same", "All is well.", "stop"),
        ("think_without_end", "<think>\nHe goes.", "stop"),
        ("truncate", "He goes", "length"),
        ("refuse", None, "stop"),
        ("decline", "I'm sorry, but I can't help with that.", "stop"),
        ("filter", "", "content_filter"),
        ("tool", None, "tool_calls"),
        ("empty", "", "stop"),
        ("null", None, "stop"),
        ("chain", " the cat", "length"),
    ],
)
def test_each_teacher_has_its_way(server: Server, teacher: str, content: str | None, reason: str) -> None:
    limit: dict[str, Any] = {"max_tokens": 2, "temperature": 0} if teacher == "chain" else {}
    (choice,) = server(teacher=teacher).chat("he go", **limit).json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (content, reason)
    assert bool(choice["message"].get("refusal")) == (teacher == "refuse")
    assert bool(choice["message"].get("tool_calls")) == (teacher == "tool")


def test_thoughts_stand_before_the_answer_or_in_a_field(server: Server) -> None:
    assert server(teacher="think").said("he go").startswith("<think>\n")
    assert server().said("he go", headers={"x-test-teacher": "think"}).endswith("\n</think>\n\nHe goes.")
    bare = server(teacher="think_without_start").said("he go")
    assert "<think>" not in bare and bare.endswith("</think>\n\nHe goes.")
    for field in ("reasoning_content", "reasoning"):
        message = server(teacher=field).chat("he go").json()["choices"][0]["message"]
        assert message["content"] == "He goes." and message[field].startswith("Okay")


@pytest.mark.parametrize("limit", [50, 4096])
def test_a_thought_that_never_ends_fills_the_limit(server: Server, limit: int) -> None:
    reply = server(teacher="think_on").chat("he go", max_tokens=limit).json()
    assert reply["usage"]["completion_tokens"] == limit
    assert reply["choices"][0]["finish_reason"] == "length" and "</think>" not in reply["choices"][0]["message"]["content"]


def test_limit_stop_and_number_of_choices_are_kept(server: Server) -> None:
    client = server()
    cut = client.chat("he go to school", max_completion_tokens=2).json()["choices"][0]
    assert (cut["message"]["content"], cut["finish_reason"]) == ("He goes", "length")
    assert client.said("he go to school", stop=[" school", "never"]) == "He goes to"
    assert len(client.chat("he go", n=3).json()["choices"]) == 3


def test_nebius_ends_at_a_hundred_tokens_where_none_are_asked_for(server: Server) -> None:
    assert server("nebius", teacher="think_on").chat("he go").json()["usage"]["completion_tokens"] == 100


def test_log_probabilities_are_given_where_they_are_asked_for(server: Server) -> None:
    client = server()
    assert client.chat("he go").json()["choices"][0]["logprobs"] is None
    (choice,) = client.chat("he go", logprobs=True, top_logprobs=3).json()["choices"]
    tokens = choice["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == "He goes."
    assert [len(token["top_logprobs"]) for token in tokens] == [3, 3, 3]
    assert tokens[0]["logprob"] == pytest.approx(math.log(1 / 2)) and bytes(tokens[1]["bytes"]) == b" goes"


def test_some_of_the_requests_have_another_teacher(server: Server) -> None:
    client = server(teach=[{"teacher": "refuse", "contains": "bomb"}, {"teacher": "echo", "share": 0.25}])
    assert client.chat("a bomb").json()["choices"][0]["message"]["refusal"]
    said = [client.said(f"he go {number}") for number in range(200)]
    echoed = sum(text.startswith("he") for text in said)
    assert 26 <= echoed <= 74  # four standard deviations (6.1) about 50
    assert [client.said(f"he go {number}") for number in range(200)] == said


@pytest.mark.parametrize(("dialect", "status"), [("openai", 400), ("nebius", 422), ("generic", 400)])
def test_a_wrong_request_is_refused_in_the_dialects_shape(server: Server, dialect: str, status: int) -> None:
    answer = server(dialect).chat("he go", temperature=3)
    assert answer.status_code == status
    if dialect == "nebius":
        (detail,) = answer.json()["detail"]
        assert set(detail) == {"loc", "msg", "type", "input", "ctx"} and detail["loc"] == ["body", "temperature"]
    else:
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"} and answer.json()["error"]["param"] == "temperature"


def test_only_openai_minds_a_field_that_it_does_not_know(server: Server) -> None:
    assert server("nebius").chat("he go", top_k=20).status_code == 200
    assert "top_k" in server("openai").chat("he go", top_k=20).json()["error"]["message"]


def test_the_catalogue_is_the_scripts(server: Server) -> None:
    client = server(models=["one/model"])
    assert [model["id"] for model in client.http.get("/v1/models").json()["data"]] == ["one/model"]
    assert client.http.get("/v1/models/one/model").json()["id"] == "one/model"
    assert client.chat("he go").json()["error"]["code"] == "model_not_found"
    assert client.chat("he go", model="one/model").status_code == 200


def test_what_is_no_json_is_refused(server: Server) -> None:
    answer = server().http.post("/v1/chat/completions", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400 and "JSON" in answer.json()["error"]["message"]


def test_a_stream_is_events_and_a_last_word(server: Server) -> None:
    text = server(teacher="reasoning_content").chat("he go", stream=True).text
    events = text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    deltas = [json.loads(event.removeprefix("data: "))["choices"][0]["delta"] for event in events[:-2]]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas).startswith("Okay")
    assert "".join(delta.get("content", "") for delta in deltas) == "He goes."


@pytest.mark.parametrize(
    ("told", "text", "data"),
    [("bytes", "\\xc3", [0xC3]), ("replaced", "\ufffd", [0xEF, 0xBF, 0xBD]), ("text", "", None), ("never", "", None)],
)
def test_part_of_a_letter_is_told_as_each_server_tells_it(told: str, text: str, data: list[int] | None) -> None:
    script = Script.model_validate({"teacher": "echo", "logprobs": {"tokens": "bytes", "told": told, "end": "<|im_end|>"}})
    body = {"model": "m", "messages": [{"role": "user", "content": "é."}], "logprobs": True, "top_logprobs": 1}
    reply: Any = complete(body, script, "openai", 0, 0)
    logprobs = reply["choices"][0]["logprobs"]
    if told == "never":
        assert logprobs is None
        return
    first, _, dot, end = logprobs["content"]
    assert (first["token"], first["bytes"]) == (text, data)
    assert (dot["token"], dot["top_logprobs"][0]["token"], end["token"]) == (".", ".", "<|im_end|>")
