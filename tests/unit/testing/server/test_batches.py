import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.unit.testing.server.conftest import Client

Server = Callable[..., Client]


def row(number: int, **body: object) -> dict[str, object]:
    messages = [{"role": "user", "content": f"he go {number}"}]
    return {
        "custom_id": f"request-{number}", "method": "POST", "url": "/v1/chat/completions",
        "body": {"model": "Qwen/Qwen3-4B", "messages": messages, "max_tokens": 64} | body,
    }  # fmt: skip


def create(client: Client, rows: list[dict[str, object]], **more: object) -> httpx.Response:
    file_id = client.upload("".join(json.dumps(one) + "\n" for one in rows).encode())
    request = {"input_file_id": file_id, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    return client.http.post("/v1/batches", json=request | more)


def waited(client: Client, batch: dict[str, Any], polls: int = 12) -> tuple[dict[str, Any], list[str]]:
    """The batch after so many polls, and the states that it told on the way."""
    states = [batch["status"]]
    for _ in range(polls):
        batch = client.http.get(f"/v1/batches/{batch['id']}").raise_for_status().json()
        states.append(batch["status"])
    return batch, states


def lines(client: Client, file_id: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in client.content(file_id).splitlines()]


def run(client: Client, count: int = 20) -> dict[str, Any]:
    return waited(client, create(client, [row(number) for number in range(count)]).json())[0]


def test_a_new_batch_has_the_recorded_fields(server: Server) -> None:
    client = server("nebius")
    batch = create(client, [row(0)], metadata={"description": "x"}).json()
    assert batch["id"].startswith("batch_") and batch["status"] == "validating" and batch["metadata"] == {"description": "x"}
    assert batch["request_counts"] == {"completed": None, "failed": None, "total": None}
    assert {"cancelled_at", "cancelling_at", "completed_at", "error_file_id", "errors", "expired_at", "expires_at", "failed_at",
            "finalizing_at", "in_progress_at", "output_file_id"} <= {name for name, value in batch.items() if value is None}  # fmt: skip


@pytest.mark.parametrize(
    ("dialect", "states"),
    [
        # 5,230 seconds are 87 minutes; each poll adds 600: eight of them pass while it runs.
        ("nebius", ["validating", *["running"] * 8, "done"]),
        ("openai", ["validating", *["in_progress"] * 8, "completed"]),
        ("generic", ["VALIDATING", *["IN_PROGRESS"] * 8, "COMPLETED"]),
    ],
)
def test_states_pass_as_the_clock_does(server: Server, dialect: str, states: list[str]) -> None:
    client = server(dialect)
    assert waited(client, create(client, [row(0)]).json(), polls=9)[1] == states


def test_the_recorded_states_between_are_told_too(server: Server) -> None:
    client = server("nebius", batches={"seconds": 6000})
    batch = create(client, [row(0)]).json()
    client.served.advance(30 - 600)  # the poll adds 600
    assert client.http.get(f"/v1/batches/{batch['id']}").json()["status"] == "validated"
    client = server("openai", batches={"seconds": 6000})
    batch = create(client, [row(0)]).json()
    client.served.advance(5950 - 600)
    assert client.http.get(f"/v1/batches/{batch['id']}").json()["status"] == "finalizing"


def test_both_envelopes_hold_the_reply(server: Server) -> None:
    nebius, openai = server("nebius"), server("openai")
    bare = {line["custom_id"]: line for line in lines(nebius, run(server("nebius"))["output_file_id"])}
    wrapped = {line["custom_id"]: line for line in lines(openai, run(server("openai"))["output_file_id"])}
    assert bare.keys() == wrapped.keys() == {f"request-{number}" for number in range(20)}
    assert bare["request-3"].keys() == wrapped["request-3"].keys() == {"id", "custom_id", "response", "error"}
    assert bare["request-3"]["response"]["choices"][0]["message"]["content"] == "He goes 3."
    response = wrapped["request-3"]["response"]
    assert (response["status_code"], response["body"]["choices"][0]["message"]["content"]) == (200, "He goes 3.")


def test_the_output_file_is_named_as_recorded(server: Server) -> None:
    client = server("nebius")
    batch = run(client)
    file = client.http.get(f"/v1/files/{batch['output_file_id']}").json()
    assert (file["filename"], file["purpose"]) == (f"{batch['id']}_output.jsonl", "batch")
    assert batch["error_file_id"] is None and batch["request_counts"] == {"completed": 20, "failed": 0, "total": 20}


def test_answers_come_in_another_order_and_always_in_the_same(server: Server) -> None:
    client = server()
    first, second = (lines(client, run(client)["output_file_id"]) for _ in range(2))
    order = [line["custom_id"] for line in first]
    assert order != sorted(order, key=lambda name: int(name.removeprefix("request-")))
    assert order == [line["custom_id"] for line in second]
    client = server(batches={"shuffled": False})
    assert [line["custom_id"] for line in lines(client, run(client)["output_file_id"])] == [f"request-{number}" for number in range(20)]


def test_rows_fail_go_missing_come_twice_or_without_a_name(server: Server) -> None:
    client = server(batches={"errors": 3, "errors_inside": 2, "missing": 1, "doubled": 2, "without_id": 1})
    batch = run(client)
    told, failed = lines(client, batch["output_file_id"]), lines(client, batch["error_file_id"])
    assert [line["response"]["status_code"] for line in failed] == [400] * 3 and all(line["error"] is None for line in failed)
    assert Counter(line["response"]["status_code"] for line in told) == {200: 20 - 3 - 2 - 1 + 2, 400: 2}
    counted = Counter(line.get("custom_id") for line in told)
    assert sorted(counted.values(), reverse=True)[:3] == [2, 2, 1] and counted[None] == 1
    assert batch["request_counts"] == {"total": 20, "completed": 15, "failed": 5}


def test_a_line_may_be_no_json(server: Server) -> None:
    client = server(batches={"broken": 1})
    first, *rest = client.content(run(client)["output_file_id"]).splitlines()
    with pytest.raises(json.JSONDecodeError):
        json.loads(first)
    assert len([json.loads(line) for line in rest]) == 19


@pytest.mark.parametrize("dialect", ["openai", "nebius"])
def test_an_expired_batch_has_what_was_answered(server: Server, dialect: str) -> None:
    client = server(dialect, batches={"ends": "expired", "done": 0.25})
    batch = run(client)
    assert batch["status"] == "expired" and batch["expired_at"] and len(lines(client, batch["output_file_id"])) == 5
    if dialect == "openai":
        assert {line["error"]["code"] for line in lines(client, batch["error_file_id"])} == {"batch_expired"}
        assert len(lines(client, batch["error_file_id"])) == 15
    else:
        assert batch["error_file_id"] is None


def test_a_cancelled_batch_passes_through_cancelling(server: Server) -> None:
    client = server(batches={"ends": "never"})
    batch, states = waited(client, create(client, [row(number) for number in range(20)]).json(), polls=20)
    assert set(states[1:]) == {"in_progress"}
    assert client.http.post(f"/v1/batches/{batch['id']}/cancel").json()["status"] == "cancelling"
    batch, _ = waited(client, batch, polls=1)
    assert batch["status"] == "cancelled" and len(lines(client, batch["output_file_id"])) == 10
    assert client.http.post(f"/v1/batches/{batch['id']}/cancel").status_code == 409


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([row(0), row(0)], "duplicate_custom_id"),
        ([row(0), row(1, model="other")], "model_mismatch"),
        ([{"custom_id": "a"}], "invalid_json_line"),
        ([{**row(0), "method": "GET"}], "invalid_method"),
        ([], "empty_file"),
    ],
)
def test_a_file_that_a_provider_would_not_take_fails_the_batch(server: Server, rows: list[dict[str, object]], code: str) -> None:
    client = server()
    batch, _ = waited(client, create(client, rows).json(), polls=1)
    assert batch["status"] == "failed" and batch["errors"]["data"][0]["code"] == code and batch["output_file_id"] is None


def test_nebius_answers_a_name_twice(server: Server) -> None:
    client = server("nebius")
    batch, _ = waited(client, create(client, [row(0), row(0)]).json())
    assert [line["custom_id"] for line in lines(client, batch["output_file_id"])] == ["request-0", "request-0"]


def test_wrong_bodies_fail_alone(server: Server) -> None:
    client = server()
    batch, _ = waited(client, create(client, [row(0), row(1, temperature=9)]).json())
    assert len(lines(client, batch["output_file_id"])) == 1
    (failed,) = lines(client, batch["error_file_id"])
    assert failed["response"]["status_code"] == 400 and failed["response"]["body"]["error"]["param"] == "temperature"


def test_counts_and_states_may_be_strange(server: Server) -> None:
    for counts, value in (("null", {"completed": None, "failed": None, "total": None}), ("empty", {})):
        assert run(server(batches={"counts": counts}))["request_counts"] == value
    client = server("nebius", batches={"state": "warming_up"})
    assert waited(client, create(client, [row(0)]).json())[1][1:9] == ["warming_up"] * 8
    assert run(server(batches={"ends": "failed"}))["status"] == "failed"


def test_a_batch_lives_though_its_creator_never_heard_of_it(server: Server) -> None:
    client = server(faults=[{"kind": "reset", "path": "/v1/batches", "times": 1}])
    with pytest.raises(httpx.ReadError):
        create(client, [row(0)], metadata={"shard": "lost"})
    found = [batch for batch in client.http.get("/v1/batches").json()["data"] if (batch["metadata"] or {}).get("shard") == "lost"]
    assert len(found) == 1


def test_what_a_batch_took_stands_in_the_totals(server: Server) -> None:
    client = server(batches={"errors": 1})
    create_many = [row(number, model="counted-batch") for number in range(4)]
    batch, _ = waited(client, create(client, create_many).json())
    usages = [line["response"]["body"]["usage"] for line in lines(client, batch["output_file_id"])]
    totals = client.served.totals()["totals"]["counted-batch batch"]
    assert totals["calls"] == 3 and totals["prompt_tokens"] == sum(usage["prompt_tokens"] for usage in usages)


def test_wrong_requests_are_refused(server: Server) -> None:
    client = server("nebius")
    answer = create(client, [row(0)], completion_window="1h")
    assert answer.status_code == 422 and answer.json()["detail"][0]["loc"] == ["body", "completion_window"]
    assert create(client, [row(0)], endpoint="/v1/other").status_code == 422
    assert create(client, [row(0)], input_file_id="file-none").status_code == 422
    assert client.http.get("/v1/batches/none").status_code == 404
