"""A teacher in batch mode, from the spec to sealed answers: by the command line alone, and killed at the worst moments."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from distillc.testing.server import Fault, Script, Served, Teach, serve
from distillc.testing.server.script import Batches
from tests.e2e.a_place import KEY
from tests.e2e.test_api import ROWS, Place, place

UNTIL = ("run", "distill.yaml", "--until", "answers")


def batched(folder: Path, server: Served, uses: str = "openai", poll: float = 0.05) -> Place:
    here = place(folder, server, uses)
    spec = folder / "distill.yaml"
    text = spec.read_text(encoding="utf-8")
    text = text.replace(
        "    engine: {uses: http, concurrency: 8, retries: 1}\n", f"    mode: batch\n    engine: {{uses: http, poll: {poll}, retries: 1}}\n"
    )
    assert "mode: batch" in text
    spec.write_text(text, encoding="utf-8")
    return here


def listed(server: Served, what: str) -> list[dict[str, Any]]:
    request = urllib.request.Request(f"{server.url}/{what}?limit=100", headers={"authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request) as reply:
        found: list[dict[str, Any]] = json.load(reply)["data"]
        return found


def whole(here: Place) -> None:
    rows, meta = here.sealed()
    assert (meta["generated"], meta["kept"]) == (ROWS, ROWS)
    assert {row.payload["input"]: row.payload["target"] for row in rows} == {
        f"She go to school on day {number}.": f"Correct: She goes to school on day {number}." for number in range(ROWS)
    }


@pytest.mark.parametrize("uses", ["openai", "nebius"])
def test_a_teacher_in_batch_mode_answers_at_half_the_price_and_leaves_nothing_behind(tmp_path: Path, uses: str) -> None:
    with serve(Script(keys=(KEY,)), process=True, dialect="nebius") as server:
        here = batched(tmp_path, server, uses)
        assert here.distillc("lint", "distill.yaml").returncode == 0
        done = here.distillc(*UNTIL)
        assert done.returncode == 0, done.stderr
        assert here.asked() == [], "no row was asked by itself"
        whole(here)
        assert len(listed(server, "batches")) == 1
        assert listed(server, "files") == [], "`privacy.retention: none`"
        billed = server.totals()["totals"]["Qwen/Qwen3-4B batch"]
        expected = (Decimal("0.2") * billed["prompt_tokens"] + Decimal("0.6") * billed["completion_tokens"]) / 10**6 / 2
        total = json.loads(here.distillc("cost", "--format", "json").stdout)["total"]
        assert (Decimal(str(total["usd"])), total["calls"]) == (expected, ROWS)
        assert here.distillc(*UNTIL).stderr.startswith("nothing to do")


def test_another_mode_makes_nothing_again(tmp_path: Path) -> None:
    with serve(Script(), process=True) as server:
        here = batched(tmp_path, server)
        assert here.distillc(*UNTIL).returncode == 0
        spec = tmp_path / "distill.yaml"
        spec.write_text(spec.read_text(encoding="utf-8").replace("mode: batch", "mode: sync"), encoding="utf-8")
        assert here.distillc(*UNTIL).stderr.startswith("nothing to do")
        assert here.asked() == []


def start(here: Place) -> subprocess.Popen[bytes]:
    return here.start(*UNTIL)


def kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for_call(server: Served, process: subprocess.Popen[bytes], method: str, path: str) -> None:
    while not any(call["method"] == method and call["path"].startswith(path) for call in server.calls()):
        assert process.poll() is None
        time.sleep(0.01)


def test_killed_between_the_post_and_the_answer_the_batch_is_found_again(tmp_path: Path) -> None:
    """The batch is made, its answer takes ten seconds, and the kill comes within them: nobody here has its id."""
    with serve(Script(faults=(Fault(kind="slow", seconds=10, path="/v1/batches", times=1),)), process=True) as server:
        here = batched(tmp_path, server)
        process = start(here)
        wait_for_call(server, process, "POST", "/v1/batches")
        time.sleep(0.2)
        kill(process)
        assert len(listed(server, "batches")) == 1
        [job] = (tmp_path / "store").rglob("*.job.json")
        assert json.loads(job.read_text(encoding="utf-8"))["id"] is None
        done = here.distillc(*UNTIL)
        assert done.returncode == 0, done.stderr
        assert len(listed(server, "batches")) == 1
        whole(here)


@pytest.mark.parametrize("kind", ["reset", "hang_up"])
def test_an_answer_that_is_cut_submits_nothing_twice(tmp_path: Path, kind: Any) -> None:
    with serve(Script(faults=(Fault(kind=kind, path="/v1/batches", times=1),)), process=True) as server:
        here = batched(tmp_path, server)
        done = here.distillc(*UNTIL)
        assert done.returncode == 0, done.stderr
        assert len(listed(server, "batches")) == 1
        whole(here)


def test_killed_while_it_waits_it_goes_on_with_the_same_batch(tmp_path: Path) -> None:
    with serve(Script(), process=True, step=0) as server:  # the server's clock stands still: the batch runs until the test says so
        here = batched(tmp_path, server)
        for _ in range(2):
            seen = len(server.calls())
            process = start(here)
            while not any(call["path"].startswith("/v1/batches/batch_") for call in server.calls()[seen:]):
                assert process.poll() is None
                time.sleep(0.01)
            kill(process)
        server.advance(6000)
        done = here.distillc(*UNTIL)
        assert done.returncode == 0, done.stderr
        assert len(listed(server, "batches")) == 1
        whole(here)


def test_rows_that_fail_twice_are_dropped_as_broken(tmp_path: Path) -> None:
    script = Script(
        batches=Batches(errors=2),
        teach=(Teach(teacher="truncate", contains="day 10."), Teach(teacher="refuse", contains="day 12.")),
    )
    with serve(script, process=True) as server:
        here = batched(tmp_path, server)
        done = here.distillc(*UNTIL)
        assert done.returncode == 0, done.stderr
        assert f"2 of {ROWS} rows of batch" in done.stderr
        _, meta = here.sealed()
        assert meta["dropped"].pop("broken") == 2
        assert meta["kept"] + sum(meta["dropped"].values()) + 2 == ROWS
        assert len(listed(server, "batches")) == 2


def test_cancel_stops_the_run_and_the_batch_and_another_run_takes_what_was_made(tmp_path: Path) -> None:
    with serve(Script(batches=Batches(done=0.5)), process=True, step=0) as server:
        here = batched(tmp_path, server)
        process = start(here)
        wait_for_call(server, process, "GET", "/v1/batches/batch_")
        cancelled = here.distillc("cancel")
        assert cancelled.returncode == 0, cancelled.stderr
        assert process.wait() == 130
        [batch] = listed(server, "batches")
        assert cancelled.stdout == f"batches {batch['id']} at {server.url}: cancelled\n"
        assert batch["status"].lower() == "cancelling"
        sent = [file for file in listed(server, "files") if file["filename"].startswith("distillc-")]
        assert sent == [], "`privacy.retention: none`: what was sent does not wait for the next run"
        server.advance(100)
        again = start(here)
        wait_for_batches(server, again, 2)
        server.advance(6000)
        assert again.wait() == 0
        whole(here)
        first, second = sorted(listed(server, "batches"), key=lambda one: str(one["status"]))
        assert (first["status"], second["status"]) == ("cancelled", "completed")
        assert second["request_counts"]["total"] == ROWS / 2, "what the first had made is not asked again"
        assert here.distillc("cancel").stderr.endswith("nothing of it is on other machines\n")


def wait_for_batches(server: Served, process: subprocess.Popen[bytes], count: int) -> None:
    while len(listed(server, "batches")) < count:
        assert process.poll() is None
        time.sleep(0.05)
