"""The door of the server: keys, the log, limits and faults, before and around what the endpoints do.

A plain ASGI application around another one, since every chat request goes through it.
"""

import asyncio
import fnmatch
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pydantic import ValidationError

from distillc.testing.server.chat import fingerprint, share
from distillc.testing.server.log import Call
from distillc.testing.server.refused import Refused
from distillc.testing.server.script import Fault
from distillc.testing.server.state import State

Message = MutableMapping[str, Any]  # ASGI's own
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_KEPT_HEADERS = ("user-agent", "idempotency-key", "openai-project", "content-type", "accept")
_SLOW_PARTS = 10
_INSTEAD = {
    "html": (b"<html><body>Bad gateway</body></html>", b"text/html"),
    "no_body": (b"", b"application/json"),
    "other_shape": (b'{"object": "something.else"}', b"application/json"),
}


class Gate:
    def __init__(self, app: App, state: State) -> None:
        self.app, self.state = app, state
        self.limits = Limits(state)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path.startswith("/_"):
            return await self.app(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = b"" if headers.get("content-type", "").startswith("multipart/") else await read(receive)
        key = headers.get("authorization", "").removeprefix("Bearer ").strip()
        kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
        log, script = self.state.log, self.state.script
        call = Call(log.asked, scope["method"], path, scope["query_string"].decode(), bool(key), kept, body)
        log.begin(call)
        mark = fingerprint(script.seed, body or f"{call.method} {path}".encode())
        log.tries[mark] += 1
        scope["body"], scope["mark"], scope["teacher"] = body, mark, headers.get("x-test-teacher")
        try:
            fault = self._asked_for(headers.get("x-test-fault", "")) or self._fault(call, mark)
            if fault:
                call.fault = fault.kind
            await self._answer(scope, receive, send, call, fault, key)
        except ValidationError as error:
            await self._refuse(send, Refused(400, f"x-test-fault: {error}"))
        finally:
            log.running -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send, call: Call, fault: Fault | None, key: str) -> None:
        async def begun(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        refused, extra = self._turned_away(call, key)
        if refused:
            await self._refuse(begun, refused)
        elif fault is None or fault.kind == "delay":
            if fault:
                await asyncio.sleep(fault.seconds)
            await self.app(scope, receive, begun)
        elif fault.kind == "hang_up":
            abort(scope)
        elif fault.kind == "status":
            if fault.retry_after:
                extra.append((b"retry-after", fault.retry_after.encode()))
            await self._refuse(begun, Refused(fault.status, "The server was told to fail.", code="told_to_fail"))
        elif fault.kind in _INSTEAD:
            await reply(begun, 200, *_INSTEAD[fault.kind])
        else:
            await self._broken(scope, receive, begun, fault)

    async def _broken(self, scope: Scope, receive: Receive, send: Send, fault: Fault) -> None:
        """The true answer, of which half arrives or all of it slowly."""
        start: Message = {}
        parts: list[bytes] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self.app(scope, receive, keep)
        body = b"".join(parts)
        half = body[: len(body) // 2]
        said = len(half) if fault.kind == "half" else len(body)
        others = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        await send({**start, "headers": [*others, (b"content-length", str(said).encode())]})
        if fault.kind == "half":
            await send({"type": "http.response.body", "body": half})
        elif fault.kind == "slow":
            size = max(1, -(-len(body) // _SLOW_PARTS))
            for at in range(0, len(body), size):
                await asyncio.sleep(fault.seconds / _SLOW_PARTS)
                await send({"type": "http.response.body", "body": body[at : at + size], "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        else:
            await send({"type": "http.response.body", "body": half, "more_body": True})
            await asyncio.sleep(0.01)  # what was written should leave before the connection does
            abort(scope, politely=fault.kind == "cut")

    def _turned_away(self, call: Call, key: str) -> tuple[Refused | None, list[tuple[bytes, bytes]]]:
        """The error of a request that is not let in, and the headers that any answer gets."""
        keys = self.state.script.keys
        if not key or (keys and key not in keys):
            return Refused(401, "Incorrect API key provided.", code="invalid_api_key"), []
        if not call.path.endswith("completions"):
            return None, []
        wait, headers = self.limits.take(call.raw)
        if not wait:
            return None, headers
        return Refused(429, "Rate limit reached.", code="rate_limit_exceeded"), [*headers, (b"retry-after", f"{wait:.3f}".encode())]

    async def _refuse(self, send: Send, refused: Refused) -> None:
        await reply(send, refused.status, json.dumps(refused.body(self.state.dialect)).encode())

    def _fault(self, call: Call, mark: int) -> Fault | None:
        for place, fault in enumerate(self.state.script.faults):
            if fault.method not in ("*", call.method) or not fnmatch.fnmatchcase(call.path, fault.path):
                continue
            if fault.contains and fault.contains.encode() not in call.raw:
                continue
            if fault.share < 1 and share(fingerprint(place, mark.to_bytes(8))) >= fault.share:
                continue
            if fault.first is not None and self.state.log.tries[mark] > fault.first:
                continue
            if fault.times is not None and self.state.hits[fault] >= fault.times:
                continue
            self.state.hits[fault] += 1
            return fault
        return None

    def _asked_for(self, header: str) -> Fault | None:
        """`status status=429 retry_after=1` as a fault."""
        if not header:
            return None
        kind, *rest = header.split()
        return Fault.model_validate({"kind": kind, **{key: value for key, _, value in (part.partition("=") for part in rest)}})


class Limits:
    """Requests and tokens a window, counted as they come."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.since, self.requests, self.tokens = time.monotonic(), 0, 0

    def take(self, body: bytes) -> tuple[float, list[tuple[bytes, bytes]]]:
        """Seconds to wait, 0 if the request may come in, and the headers that tell what is left."""
        script, now = self.state.script, time.monotonic()
        most, most_tokens = script.requests_per_minute, script.tokens_per_minute
        if most is None and most_tokens is None:
            return 0.0, []
        if now - self.since >= script.window:
            self.since, self.requests, self.tokens = now, 0, 0
        left = self.since + script.window - now
        tokens = len(body) // 4  # what the client can know of beforehand
        over = (most is not None and self.requests >= most) or (most_tokens is not None and self.tokens + tokens > most_tokens)
        if not over:
            self.requests += 1
            self.tokens += tokens
        headers = []
        for name, limit, used in (("requests", most, self.requests), ("tokens", most_tokens, self.tokens)):
            if limit is not None:
                values = {"limit": limit, "remaining": max(0, limit - used), "reset": f"{left:.3f}s"}
                headers += [(f"x-ratelimit-{key}-{name}".encode(), str(value).encode()) for key, value in values.items()]
        if over and self.state.dialect == "nebius":
            headers.append((b"x-ratelimit-over-limit", b"yes"))
        return (left if over else 0.0), headers


async def read(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


async def reply(send: Send, status: int, body: bytes, kind: bytes = b"application/json") -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def abort(scope: Scope, politely: bool = False) -> None:
    """Ends the connection under the answer: by a reset, or as a server does that has finished."""
    scope["connection"](politely)
