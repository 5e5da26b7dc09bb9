"""Chat completions as they go over the wire: what is asked as a body, a reply as an answer, and whether the one heeded the other.

Pure functions. What a server may do to a thought: put it into `reasoning_content`, into `reasoning`, into a part of its own, or between
tags in the answer (shared shapes of several vendors, in tests/unit/runtimes/remote/test_chat.py).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from distillc.plugins.api.artifacts import Completion, Decoding
from distillc.runtimes.inference import logprobs
from distillc.runtimes.remote.endpoint import Dialect, Endpoint
from distillc.runtimes.remote.refusals import declines
from distillc.runtimes.remote.replies import used
from distillc.runtimes.remote.thoughts import separated
from distillc.spec.errors import StageFailed

Body = Mapping[str, Any]


class NoCompletion(StageFailed):
    """What came is JSON, and no answer."""


# OpenAI's models that think refuse `max_tokens`; most other servers know no other name.
_LIMIT: Mapping[Dialect, str] = {"openai": "max_completion_tokens", "nebius": "max_tokens", "generic": "max_tokens"}

SLACK = 3  # tokens over the limit: llama.cpp ends a letter of several bytes that it has begun

_ENDED = {
    "stop": "stop", "eos": "stop", "eos_token": "stop", "stop_sequence": "stop", "end_turn": "stop",
    "length": "length", "max_tokens": "length", "model_length": "length",
    "content_filter": "content_filter", "safety": "content_filter", "recitation": "content_filter",
    "refusal": "refusal", "tool_calls": "tool_calls", "function_call": "tool_calls",
}  # fmt: skip


def constant(endpoint: Endpoint, decoding: Decoding, *, seed: int, store: bool | None) -> dict[str, Any]:
    """All of a body but the messages. Every field of `decoding` is said, so that no server's own default decides.

    `top_p` is none of them, and not said: models of OpenAI and Anthropic refuse it, the latter wherever a temperature is said.
    """
    body: dict[str, Any] = {"model": endpoint.name}
    for name, value in asdict(decoding).items():
        if name == "max_tokens":
            body[_LIMIT[endpoint.dialect]] = value
        elif name == "top_logprobs":
            body |= {"logprobs": True, "top_logprobs": value} if value else {}
        elif value != ():  # no stop is the one way to say that there is none
            body[name] = value
    if decoding.temperature > 0:
        body["seed"] = seed
    if store is not None:
        body["store"] = store
    return body


def asking(endpoint: Endpoint, decoding: Decoding, *, seed: int, retention: str) -> Callable[[str], Body]:
    """What makes a prompt a body. `retention`: `none` tells the API to store nothing."""
    common = constant(endpoint, decoding, seed=seed, store=False if retention == "none" else None)
    return lambda prompt: {**common, "messages": messages(endpoint, prompt)}


def encoded(body: Body) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def most(body: Body, content: bytes, seen: int = 0) -> tuple[int, int]:
    """The most tokens that a call may take, in and out: a token has a byte at least, and what a template adds is less than the JSON is.

    `seen`: the most that an answer has had so far, for not every API counts thoughts into the limit.
    """
    return len(content), max(limit(body), seen)


def messages(endpoint: Endpoint, prompt: str) -> list[dict[str, str]]:
    said = [{"role": "system", "content": endpoint.system}] if endpoint.system else []
    return [*said, {"role": "user", "content": prompt}]


def asked_in(body: Body) -> str:
    """The prompt in a body, of plain completions too."""
    return str(body["messages"][-1]["content"] if "messages" in body else body.get("prompt", ""))


def limit(body: Body) -> int:
    """How many tokens an answer to this body may have at the most."""
    return int(body.get("max_completion_tokens") or body["max_tokens"]) + SLACK


def completion(reply: Any, body: Body) -> Completion:
    """The answer in a reply to `body`. Raises StageFailed for a reply without one, and where `body` was not heeded."""
    try:
        choice, usage = reply["choices"][0], used(reply["usage"])
        message: Mapping[str, Any] = choice["message"]
        finish = _ENDED.get(str(choice["finish_reason"]).lower(), "error")
        written, thoughts = _said(message)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise NoCompletion(
            f"what came for `{body['model']}` is JSON, and no chat completion: it lacks an answer, or a `usage` in whole numbers",
            help="does `base_url` lead to an OpenAI-compatible API? It ends in /v1 most often",
        ) from None
    text, inline, closed = separated(written)
    if message.get("refusal"):
        text, finish = str(message["refusal"]), "refusal"
    elif message.get("tool_calls"):
        finish = "tool_calls"
    elif finish == "stop" and not closed:
        finish = "error"
    elif finish == "stop" and declines(text):
        finish = "refusal"
    answer = Completion(
        text=text,
        finish_reason=finish,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        reasoning="\n".join(filter(None, [*thoughts, inline])),
        logprobs=_logprobs(choice.get("logprobs"), text, finish, body) if body.get("logprobs") else b"",
    )
    _heeded(answer, usage.thoughts, body)
    return answer


def _said(message: Mapping[str, Any]) -> tuple[str, list[str]]:
    """What a message says, and what it has as thoughts beside that."""
    # Servers that have both names say the same under each.
    thoughts = [text for name in ("reasoning_content", "reasoning") if isinstance(text := message.get(name), str) and text][:1]
    content = message.get("content")
    if not isinstance(content, list):
        return str(content or ""), thoughts
    thinking = [part for part in content if part.get("type") in ("thinking", "reasoning")]
    said = "".join(text for part in content if part not in thinking for text in _texts(part))
    return said, [*thoughts, "".join(text for part in thinking for text in _texts(part))]


def _texts(part: Any) -> Iterator[str]:
    """The texts in a part of a message; of a thought they may lie a level deeper."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for name in ("text", "thinking", "reasoning"):
            found = part.get(name)
            for inner in found if isinstance(found, list) else [found] if isinstance(found, str) else []:
                yield from _texts(inner)


def _logprobs(told: Any, text: str, finish: str, body: Body) -> bytes:
    """What the API told of the answer's tokens. Raises StageFailed where it told nothing."""
    asked = f"`top_logprobs: {body['top_logprobs']}`"
    way_out = "take `top_logprobs` out and learn by a hard loss, or ask a server that tells log-probabilities"
    try:
        tokens = logprobs.read(told)
    except ValueError as error:
        raise StageFailed(f"the log-probabilities of `{body['model']}` have a shape of their own: {error}", help=way_out) from None
    if not text.strip() or finish not in ("stop", "length"):
        return b""
    if not tokens:
        raise StageFailed(f"the API passed over {asked}: an answer of `{body['model']}` comes without log-probabilities", help=way_out)
    if not any(token.others for token in tokens):
        raise StageFailed(f"the API passed over {asked}: it tells that of the token which `{body['model']}` wrote alone", help=way_out)
    return logprobs.packed(tokens, text, stops=body.get("stop", ()))


def _heeded(answer: Completion, thoughts: int, body: Body) -> None:
    """Raises StageFailed where an answer, of whose tokens so many were `thoughts`, shows that the API passed over what it was asked."""
    model, most = body["model"], limit(body)
    if answer.completion_tokens - thoughts > most and not answer.reasoning:  # some servers do not count thoughts
        other = "`dialect: generic` sends `max_tokens`" if "max_tokens" not in body else "`dialect: openai` sends `max_completion_tokens`"
        raise StageFailed(
            f"the API passed over `max_tokens`: `{model}` wrote {answer.completion_tokens} tokens where {most - SLACK} were allowed",
            help=f"try the other name of the limit: {other}",
        )
    for stop in body.get("stop", ()):
        if stop in answer.text and answer.finish_reason in ("stop", "length"):
            raise StageFailed(
                f"the API passed over `stop`: an answer of `{model}` has {stop!r} in it", help="take it out of `decoding.stop`"
            )
