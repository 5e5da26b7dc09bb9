"""The endpoints under /v1/fine_tuning/jobs."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from distillc.testing.server.files import Stored
from distillc.testing.server.job_checks import hyperparameters, read
from distillc.testing.server.jobs import ENDS, Job, adapter
from distillc.testing.server.refused import Refused, invalid
from distillc.testing.server.state import State, page

_METHODS = {"openai": ("supervised", "dpo", "reinforcement"), "nebius": ("supervised", "spec-draft"), "generic": ("supervised",)}
_SUFFIX = 64  # letters


class JobPages:
    def __init__(self, state: State) -> None:
        self.state = state
        self.jobs: dict[str, Job] = {}
        self.checkpoints: dict[tuple[str, int], dict[str, object]] = {}
        self.billed: set[str] = set()
        jobs = "/v1/fine_tuning/jobs"
        self.routes = [
            Route(jobs, self.create, methods=["POST"]),
            Route(jobs, self.all),
            Route(jobs + "/{job_id}", self.one),
            Route(jobs + "/{job_id}/cancel", self.cancel, methods=["POST"]),
            Route(jobs + "/{job_id}/events", self.events),
            Route(jobs + "/{job_id}/checkpoints", self.all_checkpoints),
            Route(jobs + "/{job_id}/checkpoints/{checkpoint_id}", self.one_checkpoint),
        ]

    async def create(self, request: Request) -> Response:
        state, body = self.state, self.state.body_of(request)
        if not isinstance(body.get("model"), str):
            raise invalid(state.dialect, "Field required", "model")
        suffix = body.get("suffix") or ""
        if not isinstance(suffix, str) or len(suffix) > _SUFFIX:
            raise invalid(state.dialect, f"suffix has up to {_SUFFIX} letters", "suffix", suffix)
        method = body.get("method")
        kind, asked = "supervised", body.get("hyperparameters")
        if isinstance(method, dict):
            kind = str(method.get("type"))
            if kind not in _METHODS[state.dialect]:
                raise invalid(state.dialect, f"method.type must be one of {', '.join(_METHODS[state.dialect])}", "method.type", kind)
            inner = method.get(kind)
            asked = inner.get("hyperparameters", asked) if isinstance(inner, dict) else asked
        filled = hyperparameters(asked, state.dialect)
        training = await asyncio.to_thread(read, self._file(body, "training_file").path)
        validation = await asyncio.to_thread(read, self._file(body, "validation_file").path) if body.get("validation_file") else None
        job = Job(state.new_id("ftjob-"), body, filled, state.now(), state.script.jobs, training, validation)
        self.jobs[job.job_id] = job
        return JSONResponse(self._told(job, job.created))

    async def all(self, request: Request) -> Response:
        now = self.state.clock.poll()
        return JSONResponse(page(request, [self._told(job, now) for job in reversed(self.jobs.values())], 20))

    async def one(self, request: Request) -> Response:
        return JSONResponse(self._told(self._found(request), self.state.clock.poll()))

    async def cancel(self, request: Request) -> Response:
        job, now = self._found(request), self.state.clock.now()
        if job.status(now) in ENDS:
            raise Refused(400, f"Job {job.job_id} has ended as {job.status(now)} and cannot be cancelled.")
        job.cancelled = now
        return JSONResponse(self._told(job, now))

    async def events(self, request: Request) -> Response:
        job = self._found(request)
        events = job.events(self.state.clock.now())
        return JSONResponse(page(request, events if job.habits.events == "oldest_first" else events[::-1], 20))

    async def all_checkpoints(self, request: Request) -> Response:
        """The recorded list begins with the first epoch, OpenAI's with the last."""
        checkpoints = self._checkpoints(self._found(request))
        return JSONResponse(page(request, checkpoints if self.state.dialect == "nebius" else checkpoints[::-1], 10))

    async def one_checkpoint(self, request: Request) -> Response:
        job, wanted = self._found(request), request.path_params["checkpoint_id"]
        for checkpoint in self._checkpoints(job):
            if checkpoint["id"] == wanted:
                return JSONResponse({name: value for name, value in checkpoint.items() if name != "result_files"})
        raise Refused(404, f"No such checkpoint: {wanted}")

    def checkpoint_known(self, source: str) -> bool:
        """Whether `JOB:CHECKPOINT` names one."""
        job_id, _, checkpoint_id = source.partition(":")
        job = self.jobs.get(job_id)
        return job is not None and any(checkpoint["id"] == checkpoint_id for checkpoint in self._checkpoints(job))

    def _file(self, body: dict[str, object], name: str) -> Stored:
        file = self.state.files.find(body.get(name))
        if file is None or file.purpose != "fine-tune":
            raise invalid(self.state.dialect, "no file for fine-tuning has this id", name, body.get(name))
        return file

    def _found(self, request: Request) -> Job:
        job = self.jobs.get(request.path_params["job_id"])
        if job is None:
            raise Refused(404, f"Could not find fine tune: {request.path_params['job_id']}", code="fine_tune_not_found")
        return job

    def _checkpoints(self, job: Job) -> list[dict[str, object]]:
        done = job.epochs_done(self.state.clock.now())
        for epoch in range(1, done + 1):
            if (job.job_id, epoch) not in self.checkpoints:
                self.checkpoints[job.job_id, epoch] = self._checkpoint(job, epoch)
        return [self.checkpoints[job.job_id, epoch] for epoch in range(1, done + 1)]

    def _checkpoint(self, job: Job, epoch: int) -> dict[str, object]:
        state, files = self.state, []
        for name, content in adapter(job).items():
            file_id = state.new_id("file-")
            state.files.new_path(file_id).write_bytes(content)
            files.append(
                state.files.keep(file_id, job.habits.names.format(epoch=epoch, name=name), "fine-tune-results", int(job.epoch_end(epoch)))
            )
        checkpoint_id, metrics, file_ids = state.new_id("ftckpt_"), job.metrics(epoch), [file.file_id for file in files]
        if job.habits.checkpoints == "recorded":
            losses = {name: metrics[name] for name in ("train_loss", "valid_loss")}
            return {"id": checkpoint_id, "metrics": losses, "result_files": file_ids}
        step = metrics["step"]
        return {
            "id": checkpoint_id,
            "object": "fine_tuning.job.checkpoint",
            "created_at": int(job.epoch_end(epoch)),
            "fine_tuned_model_checkpoint": f"{self._model(job)}:ckpt-step-{step}",
            "fine_tuning_job_id": job.job_id,
            "metrics": metrics,
            "step_number": step,
            "result_files": file_ids,
        }

    def _model(self, job: Job) -> str:
        return f"ft:{job.request['model']}:org:{job.request.get('suffix') or ''}:{job.job_id[-8:]}"

    def _told(self, job: Job, now: float) -> dict[str, object]:
        status, done = job.status(now), job.epochs_done(now)
        trained = job.training.tokens * done
        if status in ENDS and job.job_id not in self.billed:
            self.billed.add(job.job_id)
            self.state.log.spend(f"{job.request['model']} training", trained_tokens=trained)
        nebius = self.state.dialect == "nebius"
        return {
            "id": job.job_id,
            "object": "fine_tuning.job",
            "created_at": job.created,
            "finished_at": int(job.ends_at()) if status in ENDS else None,
            "status": job.habits.state if status == "running" and job.habits.state else status,
            "error": job.error(status),
            "model": job.request["model"],
            "fine_tuned_model": self._model(job) if status == "succeeded" and not nebius else None,
            "hyperparameters": job.hyperparameters,
            "method": job.request.get("method"),
            "training_file": job.request["training_file"],
            "validation_file": job.request.get("validation_file"),
            "trained_tokens": trained if nebius or status in ENDS else None,
            "trained_steps": job.steps_per_epoch * done,
            "total_steps": None if status in ("validating_files", "queued") else job.steps_per_epoch * job.epochs,
            "estimated_finish": None if job.habits.ends == "never" else int(job.created + job.habits.seconds),
            "result_files": [],
            "integrations": None,
            "metadata": job.request.get("metadata"),
            "organization_id": "",
            "seed": job.request.get("seed") or 0,
            "suffix": job.request.get("suffix") or "",
        }
