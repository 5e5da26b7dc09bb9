"""The endpoints under /v1/batches: a state machine on the server's clock over rows that are answered at once, in a thread."""

import asyncio
import os
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from distillc.testing.server.batch_rows import Answered, Work, answer, prepare
from distillc.testing.server.refused import Refused, invalid
from distillc.testing.server.script import Batches
from distillc.testing.server.state import State, page

_DAY = 86_400
_VALIDATED, _RUNNING, _CANCELLING = 20, 40, 60  # seconds from creation, or from the wish to cancel
_FINALIZING = 0.99  # of the whole time
_URLS = ("/v1/chat/completions",)


@dataclass(slots=True)
class Batch:
    batch_id: str
    request: dict[str, object]
    created: int
    habits: Batches
    work: Work
    task: "asyncio.Task[Answered]"
    cancelled: float | None = None
    final: str = ""  # once it has ended
    ended: int = 0
    output: str | None = None
    errors: str | None = None

    def phase(self, now: float) -> str:
        """The state in words of this module: validating validated running finalizing cancelling, or how it ends."""
        age = now - self.created
        if self.cancelled is not None:
            return "cancelled" if now >= self.cancelled + _CANCELLING else "cancelling"
        if age < _RUNNING:
            return "validating" if age < _VALIDATED else "validated"
        if self.habits.ends == "never" or age < self.habits.seconds:
            return "finalizing" if age > self.habits.seconds * _FINALIZING and self.habits.ends != "never" else "running"
        return self.habits.ends


class BatchPages:
    def __init__(self, state: State) -> None:
        self.state = state
        self.batches: dict[str, Batch] = {}
        self.routes = [
            Route("/v1/batches", self.create, methods=["POST"]),
            Route("/v1/batches", self.all),
            Route("/v1/batches/{batch_id}", self.one),
            Route("/v1/batches/{batch_id}/cancel", self.cancel, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        state, body = self.state, self.state.body_of(request)
        file = state.files.find(body.get("input_file_id"))
        if file is None or file.purpose != "batch":
            raise invalid(state.dialect, "no file for a batch has this id", "input_file_id", body.get("input_file_id"))
        if body.get("endpoint") not in _URLS:
            raise invalid(state.dialect, f"endpoint must be one of {', '.join(_URLS)}", "endpoint", body.get("endpoint"))
        if body.get("completion_window") != "24h":
            raise invalid(state.dialect, "completion_window must be 24h", "completion_window", body.get("completion_window"))
        override = body.get("override_settings") if state.dialect == "nebius" else None
        output, errors = (state.files.new_path(state.new_id("file-")) for _ in range(2))
        override = override if isinstance(override, dict) else {}
        taken = output.with_suffix(".requests")  # what a batch was given it has, also when the file is deleted meanwhile
        os.link(file.path, taken)
        work = Work(taken, output, errors, state.script, state.dialect, state.now(), override, state.serves)
        task = asyncio.create_task(asyncio.to_thread(prepare, work))
        batch = Batch(state.new_id("batch_"), body, state.now(), state.script.batches, work, task)
        self.batches[batch.batch_id] = batch
        return JSONResponse(await self._told(batch, batch.created))

    async def all(self, request: Request) -> Response:
        now = self.state.clock.poll()
        wanted = request.query_params.get("input_file_id")
        batches = [batch for batch in reversed(self.batches.values()) if wanted in (None, batch.request["input_file_id"])]
        return JSONResponse(page(request, [await self._told(batch, now) for batch in batches], 20))

    async def one(self, request: Request) -> Response:
        return JSONResponse(await self._told(self._found(request), self.state.clock.poll()))

    async def cancel(self, request: Request) -> Response:
        batch, now = self._found(request), self.state.clock.now()
        await self._told(batch, now)
        if batch.final:
            raise Refused(409, f"Cannot cancel a batch with status '{batch.final}'.")
        batch.cancelled = now
        return JSONResponse(await self._told(batch, now))

    def _found(self, request: Request) -> Batch:
        batch = self.batches.get(request.path_params["batch_id"])
        if batch is None:
            raise Refused(404, f"No batch found with id '{request.path_params['batch_id']}'.")
        return batch

    async def _told(self, batch: Batch, now: float) -> dict[str, object]:
        phase = batch.phase(now)
        answered = Answered() if phase in ("validating", "validated") else await batch.task
        if answered.wrong:
            phase = "failed"
        if phase in ("completed", "failed", "expired", "cancelled") and not batch.final:
            await self._end(batch, phase, answered, int(now))
        return self._object(batch, batch.final or phase, answered, now)

    async def _end(self, batch: Batch, phase: str, answered: Answered, now: int) -> None:
        batch.final, batch.ended = phase, now
        if phase == "failed":
            return
        if phase == "cancelled":
            await asyncio.to_thread(answer, batch.work, answered, batch.habits.done, "batch_cancelled")
        for model, prompt_tokens, completion_tokens in answered.replies:
            self.state.log.spend(f"{model} batch", prompt_tokens, completion_tokens)
        answered.replies.clear()
        purpose = "batch" if self.state.dialect == "nebius" else "batch_output"
        for kind, path in (("output", batch.work.output), ("errors", batch.work.errors)):
            if path.stat().st_size:
                name = f"{batch.batch_id}_{'output' if kind == 'output' else 'error'}.jsonl"
                setattr(batch, kind, self.state.files.keep(path.name, name, purpose, now).file_id)
            else:
                path.unlink()

    def _object(self, batch: Batch, phase: str, answered: Answered, now: float) -> dict[str, object]:
        created, seconds = batch.created, batch.habits.seconds
        counts: Any = {"total": answered.total, "completed": answered.completed, "failed": answered.failed}
        if phase in ("running", "finalizing", "cancelling"):
            counts |= {"completed": int(answered.total * min(1.0, max(0.0, (now - created - _RUNNING) / seconds))), "failed": 0}
        if batch.habits.counts == "null" or (self.state.dialect == "nebius" and phase in ("validating", "validated")):
            counts = dict.fromkeys(counts)
        elif batch.habits.counts == "empty":
            counts = {}
        ended = {f"{end}_at": batch.ended if batch.final == end else None for end in ("completed", "failed", "expired", "cancelled")}
        running = phase not in ("validating", "validated") and not answered.wrong
        return {
            "id": batch.batch_id,
            "object": "batch",
            "endpoint": batch.request["endpoint"],
            "errors": {"object": "list", "data": answered.wrong} if answered.wrong else None,
            "input_file_id": batch.request["input_file_id"],
            "completion_window": "24h",
            "status": self._word(batch, phase),
            "output_file_id": batch.output,
            "error_file_id": batch.errors,
            "created_at": created,
            "in_progress_at": created + _RUNNING if running else None,
            "expires_at": None if self.state.dialect == "nebius" else created + _DAY,
            "finalizing_at": batch.ended if batch.final == "completed" else None,
            **ended,
            "cancelling_at": int(batch.cancelled) if batch.cancelled is not None else None,
            "request_counts": counts,
            "metadata": batch.request.get("metadata"),
        }

    def _word(self, batch: Batch, phase: str) -> str:
        """A state as the dialect says it."""
        if phase == "running" and batch.habits.state:
            return batch.habits.state
        if self.state.dialect == "nebius":
            return {"completed": "done", "finalizing": "running"}.get(phase, phase)
        word = {"validated": "validating", "running": "in_progress"}.get(phase, phase)
        return word.upper() if self.state.dialect == "generic" else word
