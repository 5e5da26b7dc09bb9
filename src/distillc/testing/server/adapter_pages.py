"""The endpoints under /v0/models: adapters that are served under a name of their own. Nebius alone has them."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from distillc.testing.server.deployments import Adapter
from distillc.testing.server.job_pages import JobPages
from distillc.testing.server.refused import invalid, no_model
from distillc.testing.server.state import State


class AdapterPages:
    def __init__(self, state: State, jobs: JobPages) -> None:
        self.state, self.jobs = state, jobs
        # A name has slashes, which some clients encode and some do not: both come here as slashes.
        self.routes = [
            Route("/v0/models", self.create, methods=["POST"]),
            Route("/v0/models", self.all),
            Route("/v0/models/{name:path}", self.one),
            Route("/v0/models/{name:path}", self.delete, methods=["DELETE"]),
            Route("/v1/models/{name:path}", self.delete, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        state, body = self.state, self.state.body_of(request)
        for field in ("name", "base_model", "source"):
            if not isinstance(body.get(field), str):
                raise invalid(state.dialect, "Field required", field, body.get(field))
        source = str(body["source"])
        if not self.jobs.checkpoint_known(source) and state.files.find(source) is None and not source.startswith("https://"):
            raise invalid(state.dialect, "source is neither JOB:CHECKPOINT, nor a file, nor a link", "source", source)
        name = f"{body['base_model']}-LoRa:{body['name']}-{state.new_id('')[-4:]}"
        adapter = self.state.deployed[name] = Adapter(name, body, state.now(), state.script.adapters)
        told = {"name": name, "base_model": body["base_model"], "source": source, "description": body.get("description")}
        return JSONResponse({**told, "created_at": adapter.created, "status": "validating"})

    async def all(self, request: Request) -> Response:
        now = self.state.clock.poll()
        return JSONResponse([self._told(adapter, now) for adapter in self.state.deployed.values() if isinstance(adapter, Adapter)])

    async def one(self, request: Request) -> Response:
        adapter = self._found(request)
        told = self._told(adapter, self.state.clock.poll())
        adapter.asked += 1
        if adapter.asked <= adapter.habits.without_status:
            del told["status"]
        return JSONResponse(told)

    async def delete(self, request: Request) -> Response:
        adapter = self._found(request)
        adapter.deleted = True
        return JSONResponse(self._told(adapter, self.state.clock.now()))

    def _found(self, request: Request) -> Adapter:
        name = request.path_params["name"]
        adapter = self.state.deployed.get(name)
        if not isinstance(adapter, Adapter):
            raise no_model(name)
        return adapter

    def _told(self, adapter: Adapter, now: float) -> dict[str, object]:
        status, source = adapter.status(now), str(adapter.request["source"])
        job, _, checkpoint = source.partition(":") if source.startswith("ftjob") else ("", "", "")
        return {
            "type": "text2text",
            "name": adapter.name,
            "status": status,
            "status_reason": "The adapter cannot be served on this base model." if status == "error" else None,
            "checkpoint_id": checkpoint or None,
            "job_id": job or None,
            "file_id": source if source.startswith("file-") else None,
            "url": source if source.startswith("https://") else None,
            "created_at": adapter.created,
            "description": adapter.request.get("description"),
            "vendor": str(adapter.request["base_model"]).partition("/")[0],
            "tags": [],
            "use_cases": [],
            "quality": None,
            "context_window_k": None,
            "size_b": None,
        }
