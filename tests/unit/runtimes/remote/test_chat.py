"""Bodies that say all that was asked, and replies in the shapes that vendors give them."""

from dataclasses import fields
from typing import Any

import pytest

from distillc.plugins.api.artifacts import Decoding
from distillc.runtimes.inference.logprobs import Candidate, unpack
from distillc.runtimes.remote.chat import completion, constant, messages, most
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.spec.errors import StageFailed

ENDPOINT = Endpoint(base_url="http://x/v1", name="big")
BODY = {"model": "big", "max_tokens": 20, "temperature": 0.0}


def reply(content: Any = "It goes.", finish: Any = "stop", tokens: int = 3, **message: Any) -> dict[str, Any]:
    return {
        "choices": [{"finish_reason": finish, "index": 0, "message": {"role": "assistant", "content": content, **message}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": tokens, "total_tokens": 9 + tokens},
    }


def test_every_field_of_the_decoding_is_said() -> None:
    decoding = Decoding(max_tokens=7, temperature=0.5, stop=("###",), top_logprobs=5)
    body = constant(ENDPOINT, decoding, seed=3, store=None)
    asked = {"logprobs": True, "top_logprobs": 5}
    assert body == {"model": "big", "max_tokens": 7, "temperature": 0.5, "stop": ("###",), "seed": 3, **asked}
    assert {field.name for field in fields(Decoding)} <= body.keys()


def test_greedy_is_said_too_and_needs_no_seed() -> None:
    assert constant(ENDPOINT, Decoding(), seed=3, store=None) == {"model": "big", "max_tokens": 64, "temperature": 0.0}


def test_openai_has_another_name_for_the_limit_and_store_is_said_where_it_was_asked_for() -> None:
    endpoint = Endpoint(base_url="http://x/v1", name="o", dialect="openai")
    body = constant(endpoint, Decoding(max_tokens=7), seed=0, store=False)
    assert (body["max_completion_tokens"], body["store"]) == (7, False)
    assert "max_tokens" not in body


def test_instructions_go_before_the_prompt() -> None:
    endpoint = Endpoint(base_url="http://x/v1", name="big", system="Correct it.")
    assert messages(endpoint, "He go.") == [{"role": "system", "content": "Correct it."}, {"role": "user", "content": "He go."}]
    assert messages(ENDPOINT, "He go.") == [{"role": "user", "content": "He go."}]


@pytest.mark.parametrize(
    ("given", "text", "finish", "reasoning"),
    [
        (reply(), "It goes.", "stop", ""),
        (reply(finish="eos_token"), "It goes.", "stop", ""),
        (reply(reasoning_content="so"), "It goes.", "stop", "so"),
        (reply(reasoning="so"), "It goes.", "stop", "so"),
        (reply(reasoning_content="so", reasoning="so"), "It goes.", "stop", "so"),
        (reply(reasoning_content=None, reasoning="so"), "It goes.", "stop", "so"),
        (reply([{"type": "text", "text": "It "}, {"type": "text", "text": "goes."}]), "It goes.", "stop", ""),
        (
            reply([{"type": "thinking", "thinking": [{"type": "text", "text": "so"}]}, {"type": "text", "text": "It goes."}]),
            "It goes.",
            "stop",
            "so",
        ),
        (reply("It go", "length"), "It go", "length", ""),
        (reply("<think>so and so", "length"), "", "length", "so and so"),
        (reply("<think>\n1"), "", "error", "1"),
        (reply("", "content_filter"), "", "content_filter", ""),
        (reply(None, refusal="I can't."), "I can't.", "refusal", ""),
        (reply("I'm sorry, but I can't help with that."), "I'm sorry, but I can't help with that.", "refusal", ""),
        (reply("I’m sorry, I cannot assist with that request"), "I’m sorry, I cannot assist with that request", "refusal", ""),
        (reply("I'm sorry, but I can't come today."), "I'm sorry, but I can't come today.", "stop", ""),
        (reply("I'm sorry, but I can't help with that. It goes."), "I'm sorry, but I can't help with that. It goes.", "stop", ""),
        (reply(None, "tool_calls", tool_calls=[{"id": "1"}]), "", "tool_calls", ""),
        (reply(None, tool_calls=[{"id": "1"}]), "", "tool_calls", ""),
        (reply(None), "", "stop", ""),
        (reply("It goes.", None), "It goes.", "error", ""),
        (reply("It goes.", "abort"), "It goes.", "error", ""),
    ],
)
def test_a_reply_is_one_kind_of_answer_and_no_other(given: dict[str, Any], text: str, finish: str, reasoning: str) -> None:
    answer = completion(given, BODY)
    assert (answer.text, answer.finish_reason, answer.reasoning) == (text, finish, reasoning)
    assert (answer.prompt_tokens, answer.completion_tokens) == (9, 3)


@pytest.mark.parametrize(
    "broken",
    [
        {"object": "something.else"},
        [],
        "text",
        {**reply(), "choices": []},
        {**reply(), "usage": None},
        *({**reply(), "usage": {**reply()["usage"], "prompt_tokens": count}} for count in (-1, 0.5, float("inf"), 2**31, "9", True, None)),
        {**reply(), "usage": {**reply()["usage"], "completion_tokens": -1}},
        {**reply(), "usage": {**reply()["usage"], "total_tokens": -1}},
        {"choices": [{"finish_reason": "stop"}], "usage": reply()["usage"]},
        {"choices": [{"finish_reason": "stop", "message": "It goes."}], "usage": reply()["usage"]},
        reply([1]),
    ],
)
def test_json_of_another_shape_is_one_clear_error(broken: Any) -> None:
    with pytest.raises(StageFailed, match="no chat completion") as failed:
        completion(broken, BODY)
    assert "base_url" in str(failed.value.help)


def test_a_limit_that_was_passed_over_is_seen() -> None:
    with pytest.raises(StageFailed, match="passed over `max_tokens`: `big` wrote 24 tokens where 20 were allowed") as failed:
        completion(reply(tokens=24), BODY)
    assert "dialect: openai" in str(failed.value.help)
    with pytest.raises(StageFailed, match="passed over") as failed:
        completion(reply(tokens=24), {"model": "big", "max_completion_tokens": 20})
    assert "dialect: generic" in str(failed.value.help)
    assert completion(reply(tokens=23), BODY).completion_tokens == 23  # the rest of a letter that was begun
    assert completion(reply(tokens=90, reasoning="long"), BODY).completion_tokens == 90  # not every server counts thoughts


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 10015}, 10005),  # Gemini's: thoughts are in the total alone
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "completion_tokens_details": None}, 5),
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 0}, 5),
        ({"prompt_tokens": 10.0, "completion_tokens": 5.0}, 5),
        ({"prompt_tokens": 10, "completion_tokens": 90, "completion_tokens_details": {"reasoning_tokens": 85}}, 90),
    ],
)
def test_thoughts_that_are_told_as_numbers_alone_are_paid_and_pass_over_no_limit(usage: dict[str, Any], tokens: int) -> None:
    answer = completion({**reply(), "usage": usage}, BODY)
    assert (answer.prompt_tokens, answer.completion_tokens) == (10, tokens)


def test_tokens_beyond_the_limit_that_were_not_thought_are_seen() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 90, "completion_tokens_details": {"reasoning_tokens": 60}}
    with pytest.raises(StageFailed, match="passed over `max_tokens`"):
        completion({**reply(), "usage": usage}, BODY)


def test_a_call_may_take_what_an_answer_has_taken() -> None:
    assert most(BODY, b"12345") == (5, 23)  # the limit of 20, and the rest of a letter
    assert most(BODY, b"12345", seen=50_000) == (5, 50_000)


def test_a_stop_that_was_passed_over_is_seen() -> None:
    with pytest.raises(StageFailed, match=r"passed over `stop`: an answer of `big` has '###' in it"):
        completion(reply("It goes.###more"), {**BODY, "stop": ("###",)})
    assert completion(reply("It goes."), {**BODY, "stop": ("###",)}).text == "It goes."


ASKED = {**BODY, "logprobs": True, "top_logprobs": 2}
TOKEN = {"token": "It", "bytes": [73, 116], "logprob": -0.5}


def with_logprobs(content: Any, text: str = "It") -> dict[str, Any]:
    told = reply(text)
    told["choices"][0]["logprobs"] = {"content": content}
    return told


def test_log_probabilities_come_with_the_answer_where_they_were_asked_for() -> None:
    told = with_logprobs([{**TOKEN, "top_logprobs": [TOKEN, {"token": "He", "bytes": None, "logprob": -1.0}]}])
    assert unpack(completion(told, ASKED).logprobs) == ([[Candidate(b"It", -0.5), Candidate(b"He", -1.0)]], True)
    assert completion(told, BODY).logprobs == b""
    assert completion(with_logprobs(None, text=" "), ASKED).logprobs == b"", "nothing was written"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "passed over `top_logprobs: 2`: an answer of `big` comes without"),
        ([], "passed over `top_logprobs: 2`: an answer of `big` comes without"),
        ([{**TOKEN, "top_logprobs": []}], "passed over `top_logprobs: 2`: it tells that of the token which `big` wrote alone"),
        ([{"text": "It", "p": 0.5}], "a shape of their own"),
    ],
)
def test_an_api_that_tells_none_is_an_error_at_its_first_answer(content: Any, said: str) -> None:
    with pytest.raises(StageFailed, match=said) as failed:
        completion(with_logprobs(content), ASKED)
    assert "hard loss" in str(failed.value.help)
