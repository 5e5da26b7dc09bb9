from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.unit.testing.server.conftest import Client

Server = Callable[..., Client]
ASKED = {
    "name": "checker", "model_name": "Qwen/Qwen3-4B", "flavor_name": "base", "gpu_type": "gpu-h100-sxm", "gpu_count": 1,
    "region": "eu-north1", "scaling": {"min_replicas": 2, "max_replicas": 4},
}  # fmt: skip


def create(client: Client, **more: object) -> httpx.Response:
    return client.http.post("/v0/dedicated_endpoints", json=ASKED | more)


def after(client: Client, endpoint: dict[str, Any], seconds: float) -> dict[str, Any]:
    client.served.advance(seconds - 600)  # the look itself adds 600
    told: dict[str, Any] = client.http.get(f"/v0/dedicated_endpoints/{endpoint['id']}").raise_for_status().json()
    return told["deployment"] | {"enabled": told["enabled"]}


def test_an_endpoint_is_not_found_until_it_is_ready(server: Server) -> None:
    client = server("nebius", endpoints={"seconds": 1000})
    endpoint = create(client).json()
    assert after(client, endpoint, 100) == {"status": "starting", "readiness": "not_ready", "ready_replicas": 0, "enabled": True}
    assert after(client, endpoint, 500)["readiness"] == "partially_ready"
    assert client.chat("he go", model=endpoint["routing_key"]).status_code == 404
    assert after(client, endpoint, 500) == {"status": "running", "readiness": "ready", "ready_replicas": 2, "enabled": True}
    assert client.said("he go", model=endpoint["routing_key"]) == "He goes."


def test_it_is_scaled_while_it_serves_and_stopped_by_a_switch(server: Server) -> None:
    client = server("nebius")
    endpoint = create(client).json()
    after(client, endpoint, 1000)
    path = f"/v0/dedicated_endpoints/{endpoint['id']}"
    changed = client.http.patch(path, json={"scaling": {"min_replicas": 3, "max_replicas": 3}}).json()["deployment"]
    assert (changed["status"], changed["readiness"]) == ("updating", "ready")
    assert after(client, endpoint, 1000)["ready_replicas"] == 3
    assert client.http.patch(path, json={"enabled": False}).json()["deployment"]["status"] == "stopping"
    assert after(client, endpoint, 1000)["status"] == "stopped"
    assert client.http.patch(path, json={"region": "eu-west1"}).status_code == 422
    assert client.http.delete(path).json() == {"id": endpoint["id"], "deleted": True}
    assert client.http.get(path).status_code == 404
    assert client.chat("he go", model=endpoint["routing_key"]).status_code == 404


@pytest.mark.parametrize(("reply", "path"), [("id", ("id",)), ("endpoint_id", ("endpoint_id",)), ("wrapped", ("endpoint", "id"))])
def test_the_id_comes_in_three_shapes(server: Server, reply: str, path: tuple[str, ...]) -> None:
    told: Any = create(server("nebius", endpoints={"reply": reply})).json()
    for name in path:
        told = told[name]
    assert told.startswith("endpoint-")


def test_a_start_may_fail(server: Server) -> None:
    client = server("nebius", endpoints={"ends": "error"})
    assert after(client, create(client).json(), 1000)["status"] == "error"


def test_whole_weights_are_served_and_adapters_are_not(server: Server) -> None:
    client = server("nebius")
    refused = client.http.post("/v0/model_artifacts", json={"kind": "lora"})
    assert refused.status_code == 422 and "merge" in refused.json()["detail"][0]["msg"]
    artifact = client.http.post("/v0/model_artifacts", json={"kind": "full"}).json()["id"]
    assert artifact.startswith("model-artifact_") and create(client, custom_weights_id=artifact).status_code == 201
    assert create(client, custom_weights_id="ftckpt_1").status_code == 422
    assert client.http.get("/v0/model_artifacts").status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"gpu_type": "gpu-1080"},
        {"region": "moon"},
        {"scaling": {"min_replicas": 0, "max_replicas": 1}},
        {"routing_key": "mine"},
        {"name": ""},
    ],
)
def test_wrong_requests_are_refused(server: Server, wrong: dict[str, object]) -> None:
    answer = create(server("nebius"), **wrong)
    assert answer.status_code == 422 and answer.json()["detail"][0]["loc"] == ["body", *wrong]


def test_templates_say_what_goes_together(server: Server) -> None:
    data = server("nebius", models=["one/model"]).http.get("/v0/dedicated_endpoints/templates").json()["data"]
    assert {(entry["model_name"], entry["region"]) for entry in data} == {
        ("one/model", region) for region in ("eu-north1", "eu-west1", "us-central1")
    }
