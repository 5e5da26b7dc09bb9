from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx

from tests.unit.testing.server.conftest import Client
from tests.unit.testing.server.test_jobs import get, tuned

Server = Callable[..., Client]


def deploy(client: Client, source: str | None = None) -> httpx.Response:
    if source is None:
        job = tuned(client, hyperparameters={"n_epochs": 1})
        source = f"{job['id']}:{get(client, job, '/checkpoints')['data'][0]['id']}"
    request = {"name": "grammar-checker", "base_model": "Qwen/Qwen3-4B-fast", "source": source, "description": "x"}
    return client.http.post("/v0/models", json=request)


def one(client: Client, name: str) -> dict[str, Any]:
    told: dict[str, Any] = client.http.get(f"/v0/models/{name}").raise_for_status().json()
    return told


def test_an_adapter_gets_a_name_of_the_recorded_form_and_answers_under_it(server: Server) -> None:
    client = server("nebius")
    made = deploy(client).json()
    assert made.keys() == {"name", "base_model", "source", "description", "created_at", "status"}
    assert made["name"].startswith("Qwen/Qwen3-4B-fast-LoRa:grammar-checker-") and made["status"] == "validating"
    assert client.chat("he go", model=made["name"]).status_code == 404
    assert one(client, made["name"])["status"] == "active"
    assert one(client, quote(made["name"], safe="")) == one(client, made["name"])
    assert client.said("he go", model=made["name"]) == "He goes."
    assert made["name"] in [model["id"] for model in client.http.get("/v1/models").json()["data"]]


def test_the_first_answer_may_have_no_status(server: Server) -> None:
    client = server("nebius", adapters={"without_status": 1})
    name = deploy(client).json()["name"]
    assert "status" not in one(client, name)
    assert one(client, name)["status"] == "active"


def test_an_adapter_may_be_refused_in_the_end(server: Server) -> None:
    client = server("nebius", adapters={"ends": "error"})
    told = one(client, deploy(client).json()["name"])
    assert told["status"] == "error" and "cannot be served" in told["status_reason"]


def test_an_adapter_is_deleted(server: Server) -> None:
    client = server("nebius")
    name = deploy(client).json()["name"]
    assert one(client, name)["status"] == "active"
    assert client.http.delete(f"/v0/models/{name}").json()["status"] == "deleted"
    assert client.chat("he go", model=name).status_code == 404


def test_a_source_is_a_checkpoint_or_an_uploaded_file(server: Server) -> None:
    client = server("nebius")
    file_id = client.http.post("/v0/models/upload", files={"file": ("adapter.zip", b"PK")}).json()["id"]
    assert one(client, deploy(client, file_id).json()["name"])["file_id"] == file_id
    assert deploy(client, "ftjob-none:ftckpt_none").status_code == 422
    assert server("openai").http.get("/v0/models").status_code == 404
