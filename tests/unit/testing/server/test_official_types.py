"""What the dialect `openai` says is held against the types of OpenAI's own client, which name each field and its values."""

import json
from collections.abc import Callable

import pytest

from tests.unit.testing.server import test_batches, test_jobs
from tests.unit.testing.server.conftest import Client

types = pytest.importorskip("openai.types")
chat = pytest.importorskip("openai.types.chat")
fine_tuning = pytest.importorskip("openai.types.fine_tuning")
jobs = pytest.importorskip("openai.types.fine_tuning.jobs")
Server = Callable[..., Client]


def test_replies_and_chunks(server: Server) -> None:
    for teacher in ("grammar", "refuse", "filter", "tool", "truncate"):
        client = server(teacher=teacher)
        chat.ChatCompletion.model_validate(client.chat("he go", logprobs=True, top_logprobs=2).json())
        for line in client.chat("he go", stream=True, stream_options={"include_usage": True}, logprobs=True).text.split("\n\n")[:-2]:
            chat.ChatCompletionChunk.model_validate(json.loads(line.removeprefix("data: ")))
    for model in server().http.get("/v1/models").json()["data"]:
        types.Model.model_validate(model)


def test_files_and_batches(server: Server) -> None:
    client = server(batches={"errors": 1, "ends": "expired"})
    batch = test_batches.create(client, [test_batches.row(0), test_batches.row(1)]).json()
    for _ in range(10):
        types.Batch.model_validate(batch)
        batch = client.http.get(f"/v1/batches/{batch['id']}").json()
    for file_id in (batch["input_file_id"], batch["error_file_id"]):
        types.FileObject.model_validate(client.http.get(f"/v1/files/{file_id}").json())
    types.FileDeleted.model_validate(client.http.delete(f"/v1/files/{batch['input_file_id']}").json())


@pytest.mark.parametrize("ends", ["succeeded", "failed"])
def test_jobs_events_and_checkpoints(server: Server, ends: str) -> None:
    client = server(jobs={"ends": ends})
    fine_tuning.FineTuningJob.model_validate(test_jobs.create(client).json())
    job = test_jobs.tuned(client, hyperparameters={"n_epochs": 4})
    assert fine_tuning.FineTuningJob.model_validate(job).status == ends
    events, checkpoints = (test_jobs.get(client, job, end)["data"] for end in ("/events", "/checkpoints"))
    assert events and checkpoints
    for event in events:
        fine_tuning.FineTuningJobEvent.model_validate(event)
    for checkpoint in checkpoints:
        assert jobs.FineTuningJobCheckpoint.model_validate(checkpoint).metrics.valid_loss
