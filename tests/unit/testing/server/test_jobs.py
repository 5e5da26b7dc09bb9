import json
import struct
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.unit.testing.server.conftest import Client

Server = Callable[..., Client]
ROW = {"messages": [{"role": "user", "content": "he go"}, {"role": "assistant", "content": "He goes."}]}
# Seed reference, section 1.5: the saved table of the public walk-through.
TRAIN = [2.114, 1.149, 0.662, 0.424, 0.306, 0.248, 0.218, 0.203, 0.195, 0.190]
VALID = [0.4167, 0.2410, 0.2303, 0.2293, 0.2261, 0.2104, 0.2333, 0.1991, 0.2149, 0.2286]


def create(client: Client, rows: list[dict[str, Any]] | None = None, validation: bool = True, **more: Any) -> httpx.Response:
    data = "".join(json.dumps(row) + "\n" for row in rows or [ROW] * 100).encode()
    file_id = client.upload(data, purpose="fine-tune")
    request = {"model": "Qwen/Qwen3-4B", "training_file": file_id} | ({"validation_file": file_id} if validation else {})
    return client.http.post("/v1/fine_tuning/jobs", json=request | more)


def get(client: Client, job: dict[str, Any], end: str = "") -> Any:
    return client.http.get(f"/v1/fine_tuning/jobs/{job['id']}{end}").raise_for_status().json()


def tuned(client: Client, **more: Any) -> dict[str, Any]:
    job = create(client, **more).raise_for_status().json()
    client.served.advance(850)
    done: dict[str, Any] = get(client, job)
    return done


def test_defaults_are_those_that_the_recorded_job_got(server: Server) -> None:
    asked = {"n_epochs": 10, "batch_size": 32, "lora": True, "lora_r": 16, "lora_alpha": 16, "packing": True}
    job = create(server("nebius"), hyperparameters=asked, seed=42).json()
    assert job["hyperparameters"] == asked | {
        "learning_rate": 1e-5, "warmup_ratio": 0, "weight_decay": 0, "lora_dropout": 0, "max_grad_norm": 1, "context_length": 8192,
    }  # fmt: skip
    assert job["id"].startswith("ftjob-") and job["fine_tuned_model"] is None and job["seed"] == 42


def test_a_job_passes_through_its_states(server: Server) -> None:
    client = server("nebius")
    job = create(client).json()
    states = [job["status"]]
    for seconds in (30, 30, 800):
        client.served.advance(seconds - 600)  # the poll adds 600
        states.append(get(client, job)["status"])
    assert states == ["validating_files", "queued", "running", "succeeded"]


def test_checkpoints_have_the_recorded_losses(server: Server) -> None:
    client = server("nebius")
    checkpoints = get(client, tuned(client, hyperparameters={"n_epochs": 10, "batch_size": 32}), "/checkpoints")["data"]
    assert [checkpoint["metrics"]["train_loss"] for checkpoint in checkpoints] == TRAIN
    assert [checkpoint["metrics"]["valid_loss"] for checkpoint in checkpoints] == VALID
    assert VALID.index(min(VALID)) + 1 == 8
    assert [checkpoint["step_number"] for checkpoint in checkpoints] == [4 * epoch for epoch in range(1, 11)]  # 100 rows by 32
    one = get(client, {"id": checkpoints[7]["fine_tuning_job_id"]}, f"/checkpoints/{checkpoints[7]['id']}")
    assert one == {name: value for name, value in checkpoints[7].items() if name != "result_files"}


def test_checkpoints_of_the_recorded_shape_have_an_id_two_losses_and_files(server: Server) -> None:
    client = server("nebius", jobs={"checkpoints": "recorded"})
    checkpoints = get(client, tuned(client, hyperparameters={"n_epochs": 2}), "/checkpoints")["data"]
    assert [checkpoint.keys() for checkpoint in checkpoints] == [{"id", "metrics", "result_files"}] * 2
    assert [checkpoint["metrics"] for checkpoint in checkpoints] == [
        {"train_loss": 2.114, "valid_loss": 0.4167},
        {"train_loss": 1.149, "valid_loss": 0.2410},
    ]


def test_nebius_serves_no_checkpoint_that_nobody_has_deployed(server: Server) -> None:
    for dialect, status in (("nebius", 404), ("openai", 200)):
        client = server(dialect)
        checkpoint = get(client, tuned(client), "/checkpoints")["data"][0]
        assert client.chat("he go", model=checkpoint["fine_tuned_model_checkpoint"]).status_code == status
        assert client.chat("he go", model=f"{checkpoint['fine_tuning_job_id']}:{checkpoint['id']}").status_code == status


def test_openai_lists_the_last_checkpoint_first(server: Server) -> None:
    client = server("openai")
    job = tuned(client, method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3, "batch_size": "auto"}}})
    assert [checkpoint["metrics"]["valid_loss"] for checkpoint in get(client, job, "/checkpoints")["data"]] == VALID[2::-1]
    assert job["fine_tuned_model"].startswith("ft:Qwen/Qwen3-4B:")


def test_checkpoints_come_one_by_one_and_so_does_the_bill(server: Server) -> None:
    client = server("nebius", jobs={"seconds": 1040})
    job = create(client, hyperparameters={"n_epochs": 10}).json()
    client.served.advance(345)  # training begins after 40: 305 of 1,000 seconds, three epochs of ten
    assert len(get(client, job, "/checkpoints")["data"]) == 3
    client.served.advance(-600)
    # "he" " go" and "He" " goes" ".": 5 pieces in each of 100 rows, three times.
    assert get(client, job)["trained_tokens"] == 1500


def test_files_of_a_checkpoint_are_an_adapter(server: Server) -> None:
    client = server("nebius")
    (first, *_) = get(client, tuned(client, hyperparameters={"lora": True, "lora_r": 16}), "/checkpoints")["data"]
    config, weights = (client.content(file_id) for file_id in first["result_files"])
    assert json.loads(config)["r"] == 16
    (length,) = struct.unpack("<Q", weights[:8])
    (tensor,) = json.loads(weights[8 : 8 + length]).values()
    assert tensor["shape"][0] == 16 and len(weights) == 8 + length + tensor["data_offsets"][1]
    names = [client.http.get(f"/v1/files/{file_id}").json()["filename"] for file_id in first["result_files"]]
    assert names == ["checkpoint-1/adapter_config.json", "checkpoint-1/adapter_model.safetensors"]


def test_names_of_files_may_be_hostile(server: Server) -> None:
    client = server("nebius", jobs={"names": "../../{name}"})
    (first, *_) = get(client, tuned(client), "/checkpoints")["data"]
    assert client.http.get(f"/v1/files/{first['result_files'][0]}").json()["filename"] == "../../adapter_config.json"


def test_events_are_newest_first_and_say_the_recorded_sentences(server: Server) -> None:
    client = server("nebius")
    job = tuned(client, hyperparameters={"n_epochs": 2})
    events = get(client, job, "/events")["data"]
    assert [event["message"] for event in events if event["type"] == "message"] == [
        "Training completed successfully",
        "Dataset 'training' processed successfully",
        "Dataset 'validation' processed successfully",
        "Job is submitted",
    ]
    assert [event["data"]["train_loss"] for event in events if event["type"] == "metrics"] == TRAIN[1::-1]
    page = get(client, job, f"/events?limit=2&after={events[0]['id']}")
    assert page["data"] == events[1:3] and page["has_more"]


def test_events_may_be_oldest_first(server: Server) -> None:
    client = server("nebius", jobs={"events": "oldest_first"})
    job = tuned(client, hyperparameters={"n_epochs": 2})
    events = get(client, job, "/events")["data"]
    assert (events[0]["message"], events[-1]["message"]) == ("Job is submitted", "Training completed successfully")
    assert get(client, job, f"/events?after={events[-2]['id']}")["data"] == events[-1:]


def test_a_job_fails_with_what_it_has(server: Server) -> None:
    client = server(jobs={"ends": "failed"})
    job = tuned(client, hyperparameters={"n_epochs": 10})
    assert job["status"] == "failed" and job["error"]["code"] == "training_failed"
    assert len(get(client, job, "/checkpoints")["data"]) == 5


@pytest.mark.parametrize("row", [{"messages": [{"role": "user", "content": "he go"}]}, {"text": "he go"}, {"messages": []}])
def test_rows_that_are_no_examples_fail_the_job(server: Server, row: dict[str, object]) -> None:
    client = server()
    job = tuned(client, rows=[ROW, row])
    assert job["status"] == "failed" and job["error"]["param"] == "training_file" and "line 2" in job["error"]["message"]
    assert job["trained_tokens"] == 0


def test_cancelling_ends_the_bill(server: Server) -> None:
    client = server("nebius", jobs={"ends": "never"})
    job = create(client, hyperparameters={"n_epochs": 20}).json()
    client.served.advance(40 + 2 * 810 / 20 + 1)  # two epochs
    assert client.http.post(f"/v1/fine_tuning/jobs/{job['id']}/cancel").json()["status"] == "cancelled"
    client.served.advance(10_000)
    job = get(client, job)
    assert (job["status"], job["trained_tokens"]) == ("cancelled", 2 * 500)
    assert client.http.post(f"/v1/fine_tuning/jobs/{job['id']}/cancel").status_code == 400


def test_only_openai_minds_a_hyperparameter_that_it_does_not_know(server: Server) -> None:
    wrong = {"learning_rate_multiplier": 2e-5, "lora_rank": 16}
    job = create(server("nebius"), hyperparameters=wrong).json()
    assert job["hyperparameters"]["lora"] is False and "lora_rank" not in job["hyperparameters"]
    assert create(server("openai"), hyperparameters=wrong).json()["error"]["param"] == "hyperparameters.lora_rank"


@pytest.mark.parametrize("wrong", [{"n_epochs": 21}, {"batch_size": 65}, {"lora_r": 4}, {"context_length": 4096}])
def test_ranges_are_held(server: Server, wrong: dict[str, int]) -> None:
    answer = create(server("nebius"), hyperparameters=wrong)
    assert answer.status_code == 422 and answer.json()["detail"][0]["loc"] == ["body", "hyperparameters", *wrong]


def test_without_validation_rows_there_is_no_validation_loss(server: Server) -> None:
    client = server("nebius")
    (first, *_) = get(client, tuned(client, validation=False), "/checkpoints")["data"]
    assert first["metrics"]["valid_loss"] is None and first["metrics"]["train_loss"] == TRAIN[0]


def test_what_was_trained_stands_in_the_totals(server: Server) -> None:
    client = server("nebius")
    tuned(client, model="counted-training", hyperparameters={"n_epochs": 4})
    assert client.served.totals()["totals"]["counted-training training"]["trained_tokens"] == 4 * 500


def test_a_job_may_say_a_state_that_nobody_knows(server: Server) -> None:
    client = server("nebius", jobs={"state": "provisioning"})
    job = create(client).json()
    client.served.advance(100 - 600)
    assert get(client, job)["status"] == "provisioning"
    assert get(client, job)["status"] == "provisioning" and get(client, job)["status"] == "succeeded"
