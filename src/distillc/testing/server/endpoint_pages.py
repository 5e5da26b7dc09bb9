"""The endpoints under /v0/dedicated_endpoints and /v0/model_artifacts: machines of one's own, which Nebius alone has."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from distillc.testing.server.deployments import Endpoint
from distillc.testing.server.refused import Refused, invalid
from distillc.testing.server.state import CATALOGUE, State

_REGIONS = ("eu-north1", "eu-west1", "us-central1")
_GPUS = ("gpu-l40s-d", "gpu-l40s-a", "gpu-h100-sxm", "gpu-h200-sxm", "gpu-b200-sxm", "gpu-b200-sxm-a", "gpu-b300-sxm")
_ONE_OF: Mapping[str, tuple[str, ...]] = {"flavor_name": ("base", "fast"), "gpu_type": _GPUS, "region": _REGIONS}
_CHANGES = {"name", "description", "scaling", "enabled", "custom_weights_id", "gpu_type", "gpu_count"}


class EndpointPages:
    def __init__(self, state: State) -> None:
        self.state = state
        self.endpoints: dict[str, Endpoint] = {}
        self.artifacts: set[str] = set()
        path = "/v0/dedicated_endpoints"
        self.routes = [
            Route(path + "/templates", self.templates),
            Route(path, self.create, methods=["POST"]),
            Route(path, self.all),
            Route(path + "/{endpoint_id}", self.one),
            Route(path + "/{endpoint_id}", self.change, methods=["PATCH"]),
            Route(path + "/{endpoint_id}", self.delete, methods=["DELETE"]),
            Route("/v0/model_artifacts", self.create_artifact, methods=["POST"]),
            Route("/v0/model_artifacts", self.all_artifacts),
        ]

    async def templates(self, request: Request) -> Response:
        data = [
            {"model_name": model, "flavor_name": flavor, "gpu_type": "gpu-h100-sxm", "gpu_count": 1, "region": region}
            for model in self.state.script.models or CATALOGUE
            for flavor in _ONE_OF["flavor_name"]
            for region in _REGIONS
        ]
        return JSONResponse({"object": "list", "data": data})

    async def create(self, request: Request) -> Response:
        state, body = self.state, self.state.body_of(request)
        self._check(body, ("name", "model_name", "flavor_name", "gpu_type", "gpu_count", "region", "scaling"))
        endpoint_id = state.new_id("endpoint-")
        routing_key = str(body.get("routing_key") or f"dedicated/{endpoint_id[-12:]}")
        if not routing_key.startswith("dedicated/") or not 11 <= len(routing_key) <= 128:
            raise invalid(state.dialect, "routing_key is dedicated/… and has 11 to 128 letters", "routing_key", routing_key)
        endpoint = Endpoint(endpoint_id, body, routing_key, state.now(), state.script.endpoints, state.clock.now())
        self.endpoints[endpoint_id] = state.deployed[routing_key] = endpoint
        told = self._told(endpoint, endpoint.created)
        if endpoint.habits.reply == "endpoint_id":
            told["endpoint_id"] = told.pop("id")
        return JSONResponse({"endpoint": told} if endpoint.habits.reply == "wrapped" else told, 201)

    async def all(self, request: Request) -> Response:
        now = self.state.clock.poll()
        return JSONResponse({"object": "list", "data": [self._told(endpoint, now) for endpoint in self.endpoints.values()]})

    async def one(self, request: Request) -> Response:
        return JSONResponse(self._told(self._found(request), self.state.clock.poll()))

    async def change(self, request: Request) -> Response:
        endpoint, body, now = self._found(request), self.state.body_of(request), self.state.clock.now()
        if fixed := sorted(set(body) - _CHANGES):
            raise invalid(self.state.dialect, f"{fixed[0]} cannot be changed", fixed[0], body[fixed[0]])
        self._check(body, ())
        endpoint.changed = endpoint.serving(now) and body.get("enabled") is not False
        endpoint.enabled = bool(body.get("enabled", endpoint.enabled))
        endpoint.request = {**endpoint.request, **body}
        endpoint.since = now
        return JSONResponse(self._told(endpoint, now))

    async def delete(self, request: Request) -> Response:
        endpoint = self._found(request)
        del self.endpoints[endpoint.endpoint_id]
        endpoint.enabled = False
        return JSONResponse({"id": endpoint.endpoint_id, "deleted": True})

    async def create_artifact(self, request: Request) -> Response:
        body = self.state.body_of(request)
        if body.get("kind") != "full":
            raise invalid(self.state.dialect, "only artifacts of kind full can be served: merge the adapter", "kind", body.get("kind"))
        artifact_id = self.state.new_id("model-artifact_")
        self.artifacts.add(artifact_id)
        return JSONResponse({"id": artifact_id, "kind": "full", "created_at": self.state.now()}, 201)

    async def all_artifacts(self, request: Request) -> Response:
        raise Refused(403, "This project may not list artifacts.")  # as it was noted of an account that could create them

    def _check(self, body: Mapping[str, object], required: tuple[str, ...]) -> None:
        dialect = self.state.dialect
        for name in required:
            if body.get(name) in (None, ""):
                raise invalid(dialect, "Field required", name)
        for name in body.keys() & _ONE_OF.keys():
            if body[name] not in _ONE_OF[name]:
                raise invalid(dialect, f"{name} must be one of {', '.join(_ONE_OF[name])}", name, body[name])
        scaling = body.get("scaling", {"min_replicas": 1, "max_replicas": 1})
        least, most = (scaling.get("min_replicas"), scaling.get("max_replicas")) if isinstance(scaling, dict) else (0, 0)
        if not isinstance(least, int) or not isinstance(most, int) or not 1 <= least <= most:
            raise invalid(dialect, "scaling needs 1 <= min_replicas <= max_replicas", "scaling", scaling)
        weights = body.get("custom_weights_id") or "UNSET"
        if weights != "UNSET" and weights not in self.artifacts:
            raise invalid(dialect, "custom_weights_id must be the id of an artifact, model-artifact_…", "custom_weights_id", weights)

    def _found(self, request: Request) -> Endpoint:
        endpoint = self.endpoints.get(request.path_params["endpoint_id"])
        if endpoint is None:
            raise Refused(404, f"No endpoint {request.path_params['endpoint_id']}.")
        return endpoint

    def _told(self, endpoint: Endpoint, now: float) -> dict[str, object]:
        names = ("name", "description", "model_name", "flavor_name", "gpu_type", "gpu_count", "region", "scaling", "custom_weights_id")
        return {
            "id": endpoint.endpoint_id,
            **{name: endpoint.request.get(name) for name in names},
            "enabled": endpoint.enabled,
            "routing_key": endpoint.routing_key,
            "deployment": endpoint.deployment(now),
            "created_at": endpoint.created,
        }
