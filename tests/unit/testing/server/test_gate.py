import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from distillc.testing.server import Script
from tests.unit.testing.server.conftest import Client

Server = Callable[..., Client]


def test_a_key_is_needed_and_may_have_to_be_one_of_some(server: Server) -> None:
    client = server(keys=["some-key"])
    assert client.chat("he go").status_code == 200
    assert client.chat("he go", headers={"authorization": "Bearer other"}).status_code == 401
    client = server()
    assert client.chat("he go", headers={"authorization": "Bearer other"}).status_code == 200
    assert client.chat("he go", headers={"authorization": ""}).json()["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize("status", [401, 422, 429, 500, 503])
def test_a_status_comes_once_and_then_the_answer(server: Server, status: int) -> None:
    client = server(faults=[{"status": status, "first": 1}])
    for text in ("he go", "she go"):
        assert [client.chat(text).status_code for _ in range(3)] == [status, 200, 200]


def test_a_client_may_be_told_how_long_to_wait(server: Server) -> None:
    assert server(faults=[{"status": 429, "retry_after": "2"}]).chat("he go").headers["retry-after"] == "2"
    assert "retry-after" not in server(faults=[{"status": 429}]).chat("he go").headers


def test_connections_break_before_and_within_an_answer(server: Server) -> None:
    for kind, error in (("hang_up", httpx.ReadError), ("reset", httpx.ReadError), ("cut", httpx.RemoteProtocolError)):
        client = server(faults=[{"kind": kind, "times": 1}])
        with pytest.raises(error):
            client.chat("he go")
        assert client.said("he go") == "He goes."


def test_an_answer_may_be_no_json_or_half_of_it_or_another_thing(server: Server) -> None:
    for kind, text in (("html", "<html>"), ("no_body", ""), ("other_shape", '{"object": "something.else"}')):
        answer = server(faults=[{"kind": kind}]).chat("he go")
        assert answer.status_code == 200 and answer.text.startswith(text) and "choices" not in answer.text
    whole, half = server().chat("he go").content, server(faults=[{"kind": "half"}]).chat("he go").content
    assert half == whole[: len(half)] and len(half) == len(whole) // 2


def test_answers_wait_or_trickle(server: Server) -> None:
    for script in ({"latency": 0.2}, {"faults": [{"kind": "delay", "seconds": 0.2}]}, {"faults": [{"kind": "slow", "seconds": 0.2}]}):
        start = time.monotonic()
        assert server(**script).said("he go") == "He goes."
        assert time.monotonic() - start >= 0.2


def test_a_share_of_the_requests_is_hit_whatever_their_order(server: Server) -> None:
    client = server(faults=[{"status": 500, "share": 0.25}])
    texts = [f"row {number}" for number in range(200)]
    hit = {text for text in texts if client.chat(text).status_code == 500}
    assert 26 <= len(hit) <= 74  # four standard deviations (6.1) about 50
    with ThreadPoolExecutor(8) as pool:
        statuses = dict(zip(reversed(texts), pool.map(lambda text: client.chat(text).status_code, reversed(texts)), strict=True))
    assert {text for text, status in statuses.items() if status == 500} == hit
    other = server(faults=[{"status": 500, "share": 0.25}], seed=1)
    assert {text for text in texts if other.chat(text).status_code == 500} != hit


def test_faults_are_for_paths_methods_and_texts(server: Server) -> None:
    client = server(faults=[{"status": 503, "method": "GET", "path": "/v1/files/*"}, {"status": 500, "contains": "bomb"}])
    file_id = client.upload(b"{}")
    assert client.http.get(f"/v1/files/{file_id}").status_code == 503
    assert client.http.get("/v1/files").status_code == 200
    assert [client.chat(text).status_code for text in ("a bomb", "a cat")] == [500, 200]


def test_one_request_can_ask_for_its_fault(server: Server) -> None:
    client = server()
    answer = client.chat("he go", headers={"x-test-fault": "status status=429 retry_after=7"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert client.chat("he go", headers={"x-test-fault": "explode"}).status_code == 400
    assert client.chat("he go", headers={"x-test-teacher": "nobody"}).status_code == 400


def test_limits_are_told_and_held(server: Server) -> None:
    client = server("nebius", requests_per_minute=2, window=0.3)
    time.sleep(0.3)  # a window that another test began is over
    answers = [client.chat(f"he go {number}") for number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining-requests"] for answer in answers] == ["1", "0", "0"]
    assert answers[0].headers["x-ratelimit-limit-requests"] == "2" and answers[2].headers["x-ratelimit-over-limit"] == "yes"
    time.sleep(float(answers[2].headers["retry-after"]))
    assert client.chat("he go").status_code == 200


def test_the_log_has_what_was_sent(server: Server) -> None:
    client = server()
    client.chat("he go", temperature=0.7, store=False)
    client.http.delete(f"/v1/files/{client.upload(b'{}')}")
    *_, chat, upload, deletion = client.served.calls()
    assert chat["keys"] == ["model", "messages", "temperature", "store"]
    assert chat["parameters"] == {"model": "Qwen/Qwen3-4B", "temperature": 0.7, "store": False}
    assert chat["messages"] == [{"role": "user", "content": "he go"}]
    assert (chat["authorized"], chat["status"], chat["fault"]) == (True, 200, "")
    assert (upload["method"], upload["path"]) == ("POST", "/v1/files")
    assert deletion["method"] == "DELETE" and deletion["path"].startswith("/v1/files/file-")
    assert "some-key" not in client.http.get("/_log").text


def test_totals_are_what_replies_said(server: Server) -> None:
    client = server(faults=[{"status": 500, "times": 1}])
    usages = [client.chat(text, model="counted").json().get("usage") for text in ("failed", "he go", "she go to school")]
    assert usages[0] is None
    totals = client.served.totals()["totals"]["counted"]
    assert totals["calls"] == 2
    assert totals["completion_tokens"] == usages[1]["completion_tokens"] + usages[2]["completion_tokens"]


def test_requests_at_one_time_are_counted(server: Server) -> None:
    client = server(latency=0.2)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(client.chat, ["a", "b", "c", "d"]))
    assert client.served.totals()["peak"] == 4


def test_a_script_says_what_it_does_not_know(server: Server) -> None:
    answer = server().http.put("/_script", json={"teecher": "think"})
    assert answer.status_code == 422 and "teecher" in answer.text
    with pytest.raises(ValueError, match="teecher"):
        Script.model_validate({"teecher": "think"})
