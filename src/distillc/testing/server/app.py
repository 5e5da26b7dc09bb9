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
from distillc.testing.server.adapter_pages import AdapterPages
from distillc.testing.server.batch_pages import BatchPages
from distillc.testing.server.clock import START
from distillc.testing.server.endpoint_pages import EndpointPages
from distillc.testing.server.file_pages import FilePages
from distillc.testing.server.gate import App, Gate, Receive, Scope, Send, reply
from distillc.testing.server.job_pages import JobPages
from distillc.testing.server.refused import Refused, no_model
from distillc.testing.server.script import Script, Teacher
from distillc.testing.server.state import State


def application(state: State) -> App:
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return JSONResponse(error.body(state.dialect), error.status)

    pages, jobs = Pages(state), JobPages(state)
    routes = [
        *FilePages(state).routes,
        *BatchPages(state).routes,
        *jobs.routes,
        *([*AdapterPages(state, jobs).routes, *EndpointPages(state).routes] if state.dialect == "nebius" else ()),
        Route("/v1/models", pages.models),
        Route("/v1/models/{name:path}", pages.model),
        Route("/_log", pages.log),
        Route("/_totals", pages.totals),
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
        if not state.serves(body.get("model")):
            raise no_model(body["model"])
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
        return JSONResponse({"object": "list", "data": [_model(name) for name in self.state.models()]})

    async def model(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self.state.models():
            raise no_model(name)
        return JSONResponse(_model(name))

    async def log(self, request: Request) -> Response:
        """`?path=` keeps the calls of one path, `?last=` so many of them."""
        calls = self.state.log.told(request.query_params.get("path", ""), int(request.query_params.get("last", "0")))
        return JSONResponse({"calls": calls})

    async def totals(self, request: Request) -> Response:
        return JSONResponse(self.state.log.summary())

    async def script(self, request: Request) -> Response:
        try:
            self.state.change(Script.model_validate_json(await request.body()))
        except ValidationError as error:
            return PlainTextResponse(str(error), 422)
        return JSONResponse(self.state.script.model_dump())

    async def clock(self, request: Request) -> Response:
        self.state.clock.advance(float((await request.json())["advance"]))
        return JSONResponse({"now": self.state.clock.now()})


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": START, "owned_by": "system"}


def teacher_named(name: str | None) -> Teacher | None:
    if name is None:
        return None
    if name not in get_args(Teacher):
        raise Refused(400, f"no teacher is called {name!r}; there are {', '.join(get_args(Teacher))}", param="x-test-teacher")
    return cast(Teacher, name)
