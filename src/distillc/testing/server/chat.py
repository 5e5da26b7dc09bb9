"""Chat completions: a body in, a reply out. Batches answer their rows with the same."""

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

from distillc.testing.server import chain
from distillc.testing.server.refused import Refused, invalid
from distillc.testing.server.script import Dialect, Logprobs, Script, Teacher
from distillc.testing.server.teachers import Said, chosen, said
from distillc.testing.server.texts import count, pieces

Body = Mapping[str, object]
encoded = json.JSONEncoder(ensure_ascii=False).encode  # made once: json.dumps with an option makes one each time

# Nebius' reference names 100 as the default of max_tokens; elsewhere a reply may fill the context.
MAX_TOKENS: Mapping[Dialect, int] = {"nebius": 100, "openai": 4096, "generic": 4096}
_RANGES = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
    "n": (1, 128),
    "max_tokens": (1, 1_000_000),
    "max_completion_tokens": (1, 1_000_000),
    "top_logprobs": (0, 20),
}
# OpenAI refuses a field that it does not know; the others pass over it.
_KNOWN = frozenset(
    {"model", "messages", "n", "stop", "seed", "stream", "stream_options", "store", "metadata", "user", "service_tier"}
    | {"tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "logit_bias", "logprobs"}
    | _RANGES.keys()
)


def fingerprint(seed: int, body: bytes) -> int:
    """The same 64 bits for the same request and seed."""
    return int.from_bytes(blake2b(body, digest_size=8, key=seed.to_bytes(8, "big", signed=True)).digest())


def share(mark: int) -> float:
    return mark / 2**64


def check(body: Body, dialect: Dialect) -> str:
    """The last message of a sound request; raises Refused for any other."""
    messages = body.get("messages")
    if not isinstance(body.get("model"), str):
        raise invalid(dialect, "Field required", "model")
    if not isinstance(messages, list) or not messages:
        raise invalid(dialect, "Field required", "messages")
    for name in body.keys() & _RANGES.keys():
        value, (low, high) = body[name], _RANGES[name]
        if value is not None and (not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high):
            raise invalid(dialect, f"{name} must lie between {low} and {high}", name, value)
    if dialect == "openai" and not _KNOWN.issuperset(body):
        name = min(set(body) - _KNOWN)
        raise Refused(400, f"Unrecognized request argument supplied: {name}", param=name)
    for place, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str) or "content" not in message:
            raise invalid(dialect, "a message has role and content", f"messages.{place}", message)
    return text_of(messages[-1]["content"])


def text_of(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def complete(body: Body, script: Script, dialect: Dialect, mark: int, created: int, teacher: Teacher | None = None) -> dict[str, object]:
    """The reply to a request whose fingerprint is `mark`."""
    text = check(body, dialect)
    teacher = teacher or chosen(script, share(mark), text)
    limit = _whole(body.get("max_completion_tokens"), _whole(body.get("max_tokens"), MAX_TOKENS[dialect]))
    choices, written = [], 0
    for index in range(_whole(body.get("n"), 1)):
        answer, tokens = _limited(said(teacher, text, body, limit, mark), limit, body.get("stop"))
        written += tokens + count(str(answer.extra.get("reasoning_content") or answer.extra.get("reasoning") or ""))
        choices.append(_choice(index, answer, body, dialect, script.logprobs))
    messages = body["messages"]
    assert isinstance(messages, list)
    read = sum(count(text_of(message["content"])) + 4 for message in messages)
    usage: dict[str, object] = {"completion_tokens": written, "prompt_tokens": read, "total_tokens": read + written}
    reply: dict[str, object] = {
        "id": f"chatcmpl-{mark:016x}{mark ^ (2**64 - 1):016x}",
        "choices": choices,
        "created": created,
        "model": body["model"],
        "object": "chat.completion",
        "service_tier": None if dialect == "nebius" else "default",
        "system_fingerprint": None,
        "usage": usage,
    }
    if dialect == "nebius":
        usage |= {"completion_tokens_details": None, "prompt_tokens_details": None}
        reply["prompt_logprobs"] = None
    return reply


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _limited(answer: Said, limit: int, stop: object) -> tuple[Said, int]:
    """The answer within the request's limit and before its stops, and the tokens that it has."""
    if answer.content is None:
        return answer, count(str(answer.extra.get("refusal", "")))
    content = answer.content
    stops = [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []
    ends = [at for word in stops if (at := content.find(str(word))) >= 0]
    if ends:
        answer = Said(content[: min(ends)], "stop", answer.extra)
        content = content[: min(ends)]
    tokens = count(content)
    if tokens > limit:
        return Said("".join(pieces(content)[:limit]), "length", answer.extra), limit
    return answer, tokens


def _choice(index: int, answer: Said, body: Body, dialect: Dialect, habits: Logprobs) -> dict[str, object]:
    message: dict[str, object] = {"content": answer.content, "role": "assistant", "refusal": None}
    if dialect == "nebius":
        message |= {"annotations": None, "audio": None, "function_call": None, "tool_calls": [], "reasoning_content": None}
    choice: dict[str, object] = {
        "finish_reason": answer.finish_reason,
        "index": index,
        "logprobs": _logprobs(answer, _whole(body.get("top_logprobs"), 0), habits) if body.get("logprobs") is True else None,
        "message": message | answer.extra,
    }
    if dialect == "nebius":
        choice["stop_reason"] = None
    return choice


def _logprobs(answer: Said, top: int, habits: Logprobs) -> dict[str, object] | None:
    if habits.told == "never":
        return None
    content = answer.content or ""
    written = pieces(content)
    tokens = [token.encode() for token in written] if habits.tokens == "pieces" else [bytes([byte]) for byte in content.encode()]
    ladders = chain.log_probabilities(written, top) if habits.tokens == "pieces" else chain.byte_log_probabilities(content.encode(), top)
    if habits.end and answer.finish_reason == "stop":
        tokens.append(habits.end.encode())
        ladders.append((chain.LOG_PROBABILITIES[0], [(tokens[-1], chain.LOG_PROBABILITIES[0])][:top]))

    def entry(token: bytes, value: float) -> dict[str, object]:
        text = token.decode("utf-8", {"bytes": "backslashreplace", "replaced": "replace"}.get(habits.told, "ignore"))
        told = {"bytes": token, "replaced": text.encode()}.get(habits.told)
        return {"token": text, "logprob": value, "bytes": None if told is None else list(told)}

    rows = zip(tokens, ladders, strict=True)
    return {
        "content": [{**entry(token, value), "top_logprobs": [entry(*one) for one in ladder]} for token, (value, ladder) in rows],
        "refusal": None,
    }


def streamed(reply: Mapping[str, object], with_usage: bool) -> Iterator[bytes]:
    """The reply as server-sent events: one piece each, then why it ends, what it took if that was asked for, and `[DONE]`."""
    head = {name: reply[name] for name in ("id", "created", "model", "system_fingerprint")} | {"object": "chat.completion.chunk"}
    if with_usage:
        head["usage"] = None

    def event(choices: Sequence[object], **more: object) -> bytes:
        return b"data: " + encoded({**head, "choices": choices, **more}).encode() + b"\n\n"

    choices = reply["choices"]
    assert isinstance(choices, list)
    for choice in choices:
        message = dict(choice["message"])
        texts = {name: message.pop(name) for name in ("reasoning_content", "reasoning", "content", "refusal") if message.get(name)}
        yield event([{"index": choice["index"], "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
        for name, text in texts.items():
            rows = list((choice["logprobs"] or {}).get("content", ())) if name == "content" else []
            for piece, last in zip(parts := pieces(text), [*[False] * (len(parts) - 1), True], strict=True):
                told, rows = (rows, []) if last else (rows[:1], rows[1:])  # bytes are more than pieces, and an end has none
                logprobs = {"content": told, "refusal": None} if told else None
                yield event([{"index": choice["index"], "delta": {name: piece}, "logprobs": logprobs, "finish_reason": None}])
        calls = [{"index": number, **call} for number, call in enumerate(message.get("tool_calls") or ())]
        delta = {"tool_calls": calls} if calls else {}
        yield event([{"index": choice["index"], "delta": delta, "finish_reason": choice["finish_reason"]}])
    if with_usage:
        yield event([], usage=reply["usage"])
    yield b"data: [DONE]\n\n"
