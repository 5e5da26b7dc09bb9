"""The endpoints as one ASGI application."""

import asyncio
import json
from typing import cast, get_args

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from distillc.testing.server import chat
from distillc.testing.server.batches import BatchPages
from distillc.testing.server.clock import START
from distillc.testing.server.file_pages import FilePages
from distillc.testing.server.gate import App, Gate, Receive, Scope, Send, reply
from distillc.testing.server.refused import Refused
from distillc.testing.server.script import Script, Teacher
from distillc.testing.server.state import State

# The names of the public walk-through, for a catalogue where the script names none.
CATALOGUE = (
    "Qwen/Qwen3-235B-A22B",
    "Qwen/Qwen3-235B-A22B-Instruct-2507",
    "Qwen/Qwen3-30B-A3B-Instruct-2507",
    "Qwen/Qwen3-14B",
    "Qwen/Qwen3-4B",
    "Qwen/Qwen3-4B-fast",
    "deepseek-ai/DeepSeek-V4-Pro",
)


def application(state: State) -> App:
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return JSONResponse(error.body(state.dialect), error.status)

    pages = Pages(state)
    routes = [
        *FilePages(state).routes,
        *BatchPages(state).routes,
        Route("/v1/models", pages.models),
        Route("/_log", pages.log),
        Route("/_script", pages.script, methods=["PUT"]),
        Route("/_clock", pages.clock, methods=["POST"]),
    ]
    return Gate(Endpoints(Starlette(routes=routes, exception_handlers={Refused: refused}), state), state)


class Endpoints:
    """Chat completions by hand, for speed; the rest by Starlette."""

    def __init__(self, rest: App, state: State) -> None:
        self.rest, self.state = rest, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != "/v1/chat/completions" or scope["method"] != "POST":
            await self.rest(scope, receive, send)
            return
        try:
            await self._chat(scope, receive, send)
        except Refused as refused:
            await reply(send, refused.status, json.dumps(refused.body(self.state.dialect)).encode())

    async def _chat(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = self.state
        if state.script.latency:
            await asyncio.sleep(state.script.latency)
        body = state.body(scope["body"])
        teacher = teacher_named(scope["teacher"])
        answer = chat.complete(body, state.script, state.dialect, scope["mark"], int(state.clock.now()), teacher)
        state.log.spend_on(answer)
        if body.get("stream") is True:
            options = body.get("stream_options")
            with_usage = isinstance(options, dict) and options.get("include_usage") is True
            await StreamingResponse(chat.streamed(answer, with_usage), media_type="text/event-stream")(scope, receive, send)
        else:
            await reply(send, 200, chat.encoded(answer).encode())


class Pages:
    """The catalogue, and what a test says to the server and reads from it."""

    def __init__(self, state: State) -> None:
        self.state = state

    async def models(self, request: Request) -> Response:
        names = self.state.script.models or CATALOGUE
        data = [{"id": name, "object": "model", "created": int(START), "owned_by": "system"} for name in names]
        return JSONResponse({"object": "list", "data": data})

    async def log(self, request: Request) -> Response:
        """`?path=` keeps the calls of one path, `?last=` so many of them."""
        calls = self.state.log.told(request.query_params.get("path", ""), int(request.query_params.get("last", "0")))
        return JSONResponse({**self.state.log.summary(), "calls": calls})

    async def script(self, request: Request) -> Response:
        try:
            self.state.script = Script.model_validate_json(await request.body())
        except ValidationError as error:
            return PlainTextResponse(str(error), 422)
        return JSONResponse(self.state.script.model_dump())

    async def clock(self, request: Request) -> Response:
        self.state.clock.advance(float((await request.json())["advance"]))
        return JSONResponse({"now": self.state.clock.now()})


def teacher_named(name: str | None) -> Teacher | None:
    if name is None:
        return None
    if name not in get_args(Teacher):
        raise Refused(400, f"no teacher is called {name!r}; there are {', '.join(get_args(Teacher))}", param="x-test-teacher")
    return cast(Teacher, name)
