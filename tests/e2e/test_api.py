"""A teacher behind an API, from the spec to sealed answers: checked, planned, run, killed and resumed, by the command line alone."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from distillc.runtimes.store import open_store
from distillc.runtimes.store.rows import read_rows
from distillc.testing.server import Fault, Script, Served, Teach, serve
from tests.e2e.a_place import KEY, APlace

CHAT = "/v1/chat/completions"
AT_A_TIME = 8
ROWS = 120
SPEC = """\
distill: 1
name: api
task: {{kind: generate, input: text, target: fixed, prompt: "Correct: {{{{ text }}}}"}}
decoding: {{max_tokens: 128, temperature: 0}}
data: {{prose: {{uses: jsonl, path: rows.jsonl}}}}
models:
  big:
    uses: {uses}
    name: Qwen/Qwen3-4B
    base_url: {url}
    api_key: "${{env:TEACHER_KEY}}"
    price: {{input: 0.2, output: 0.6, date: 2026-11-01}}
    engine: {{uses: http, concurrency: {at_a_time}, retries: 1}}
generate:
  answers: {{from: prose, steps: [{{uses: answer, model: big}}]}}
privacy: {{retention: none}}
"""


class Place(APlace):
    def asked(self) -> list[str]:
        """The prompts that the server was asked, in their order. A kill may come between the head and the body of a request."""
        return [call["messages"][-1]["content"] for call in self.server.calls(CHAT) if call["messages"]]

    def calls(self) -> int:
        """How many calls the server was asked, the one for its list of models among them."""
        return int(self.server.totals()["asked"])

    def sealed(self, stage: str = "answers") -> tuple[list[Any], dict[str, Any]]:
        """The rows of a stage and what it says of them."""
        store = open_store(str(self.folder / "store"))
        [found] = [one for one in store.all() if one.stage == stage and one.kind == "generate"]
        rows = [row for path in sorted(store.directory(found).glob("*.parquet")) for row in read_rows(path)]
        return rows, dict(found.meta)


def place(folder: Path, server: Served, uses: str = "openai", rows: int = ROWS) -> Place:
    with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": f"She go to school on day {number}."}) + "\n" for number in range(rows))
    (folder / "distill.yaml").write_text(SPEC.format(url=server.url, at_a_time=AT_A_TIME, uses=uses), encoding="utf-8")
    return Place(folder, server)


def prompts(rows: int = ROWS) -> set[str]:
    return {f"Correct: She go to school on day {number}." for number in range(rows)}


@pytest.mark.parametrize("uses", ["openai", "nebius"])
def test_a_teacher_behind_an_api_goes_from_the_spec_to_sealed_answers(tmp_path: Path, uses: str) -> None:
    script = Script(
        keys=(KEY,),
        models=("Qwen/Qwen3-4B",),
        teach=(
            Teach(teacher="truncate", contains="day 10."),
            Teach(teacher="filter", contains="day 11."),
            Teach(teacher="refuse", contains="day 12."),
            Teach(teacher="think_without_end", contains="day 13."),
            Teach(teacher="think", contains="day 14."),
            Teach(teacher="tool", contains="day 15."),
            Teach(teacher="empty", contains="day 16."),
        ),
    )
    with serve(script, process=True, dialect="nebius") as server:
        here = place(tmp_path, server, uses)
        assert here.distillc("lint", "distill.yaml").returncode == 0
        planned = here.distillc("plan", "distill.yaml", "--format", "json")
        assert planned.returncode == 0, planned.stdout + planned.stderr
        assert server.calls() == [], "a plan asks nobody"
        done = here.distillc("run", "distill.yaml", "--until", "answers")
        assert done.returncode == 0, done.stderr
        lost = "1 broken, 1 empty, 1 filtered, 1 refused, 1 tool call, 1 truncated"
        assert f"answers: {ROWS - 6} of {ROWS} kept ({lost}), " in done.stderr
        name, *said, folder = done.stdout.split()
        assert (name, " ".join(said)) == ("answers", f"{ROWS - 6} of {ROWS} kept ({lost})")
        assert list(Path(folder).glob("train-*.parquet"))
        calls = server.calls(CHAT)
        again = here.distillc("run", "distill.yaml", "--until", "answers")
        assert again.returncode == 0
        assert len(server.calls(CHAT)) == len(calls) == ROWS
    assert Counter(here_call["messages"][-1]["content"] for here_call in calls) == Counter(prompts())
    wanted = {"model": "Qwen/Qwen3-4B", "max_tokens": 128, "temperature": 0.0, "store": False}
    assert {json.dumps(call["parameters"]) for call in calls} == {json.dumps(wanted)}
    assert all(call["authorized"] for call in calls)
    rows, meta = here.sealed()
    assert meta["dropped"] == {"broken": 1, "empty": 1, "filtered": 1, "refused": 1, "tool call": 1, "truncated": 1}
    assert (meta["generated"], meta["kept"]) == (ROWS, ROWS - 6)
    assert {row.teacher for row in rows} == {"big"}
    targets = {row.payload["input"]: row.payload["target"] for row in rows}
    assert targets["She go to school on day 14."] == "Correct: She goes to school on day 14."  # the server's grammar, thoughts taken out
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept and not [path for path in kept if KEY.encode() in path.read_bytes()], "the key is nowhere"


def run_and_kill(here: Place, calls: int) -> int:
    """Kills a run after so many more calls, and returns how many the server had in all; the worker's last ones may be on their way."""
    process = here.start("run", "distill.yaml", "--until", "answers")
    until = here.calls() + calls
    while here.calls() < until and process.poll() is None:
        time.sleep(0.01)
    assert process.poll() is None, "it was to be killed at work"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    while True:
        before = here.calls()
        time.sleep(0.3)
        if here.calls() == before:
            return before


def killed_and_resumed(folder: Path, rows: int, moments: Iterable[int]) -> None:
    """A job that is killed after so many calls each time, and brought to its end: every row once, and what that cost is printed."""
    with serve(Script(latency=0.1), process=True) as server:
        here = place(folder, server, rows=rows)
        kills = [run_and_kill(here, moment) for moment in moments]
        assert kills[-1] < rows
        done = here.distillc("run", "distill.yaml", "--until", "answers")
        assert done.returncode == 0, done.stderr
        asked = here.asked()
        [billed] = server.totals()["totals"].values()
        cost = json.loads(here.distillc("cost", "--format", "json").stdout)["total"]
    assert cost["answers"] == rows
    assert cost["calls"] >= billed["calls"], "what was billed is in the ledger, though a kill took who would have told of it"
    assert cost["prompt_tokens"] + cost["completion_tokens"] >= billed["prompt_tokens"] + billed["completion_tokens"]
    assert cost["lost"] <= (AT_A_TIME + 16) * len(kills), "nobody is told of more than may be so"
    found, meta = here.sealed()
    assert (meta["kept"], len({row.row_id for row in found}), len(found)) == (rows, rows, rows)
    assert set(asked) == prompts(rows)
    twice = len(asked) - rows
    print(f"{len(kills)} kills over {rows} rows: {twice} calls paid twice, {twice / len(kills):.1f} a kill, {AT_A_TIME} in flight at most")
    assert twice <= AT_A_TIME * len(kills)


@pytest.mark.parametrize("moment", [20, 70])
def test_killed_in_the_middle_no_row_is_missing_and_none_is_there_twice(tmp_path: Path, moment: int) -> None:
    killed_and_resumed(tmp_path, ROWS, [moment])


@pytest.mark.soak
def test_killed_two_hundred_times_no_row_is_missing_and_none_is_there_twice(tmp_path: Path) -> None:
    draw = random.Random(0)
    killed_and_resumed(tmp_path, 8000, [draw.randint(2, 50) for _ in range(200)])


def test_an_error_ends_with_code_5_and_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    script = Script(faults=(Fault(status=422, contains="day 60."),))
    with serve(script, process=True, dialect="nebius") as server:
        here = place(tmp_path, server)
        failed = here.distillc("run", "distill.yaml", "--until", "answers")
        assert failed.returncode == 5
        assert "`Qwen/Qwen3-4B` at http://127.0.0.1" in failed.stderr
        assert "422" in failed.stderr and "answers" in failed.stderr and "Traceback" not in failed.stderr
        first = here.asked()
        assert len(first) < ROWS
        server.change(Script())
        assert here.distillc("run", "distill.yaml", "--until", "answers").returncode == 0
        assert Counter(here.asked()) == Counter(prompts()) + Counter(["Correct: She go to school on day 60."])


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limit there")
@pytest.mark.parametrize("mode", ["sync", "batch"])
def test_a_disk_that_fills_costs_no_more_calls_than_were_in_flight(tmp_path: Path, mode: str) -> None:
    """A file that may not grow stands for the disk: of 300 kB of answers, or of requests for a batch, 200 kB fit."""
    import resource

    with serve(Script(teacher="echo"), process=True) as server:
        here = place(tmp_path, server)
        digits = random.Random(0)
        texts = [f"{number} {digits.randbytes(1200).hex()}" for number in range(ROWS)]
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
        spec = tmp_path / "distill.yaml"
        changed = (
            spec.read_text(encoding="utf-8")
            .replace("max_tokens: 128", "max_tokens: 4096")
            .replace("retries: 1", "retries: 1, poll: 0.05")
            .replace("    price:", f"    mode: {mode}\n    price:")
        )
        spec.write_text(changed, encoding="utf-8")
        full = subprocess.run(
            here.command("run", "distill.yaml", "--until", "answers"),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
            cwd=tmp_path, env=here.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert full.returncode == 5, full.stderr
        assert "answers: the disk is full" in full.stderr and "then run again" in full.stderr and "Traceback" not in full.stderr
        before = len(here.asked())
        assert (0 < before < ROWS) == (mode == "sync")
        done = here.distillc("run", "distill.yaml", "--until", "answers")
        assert done.returncode == 0, done.stderr
        batches = [call for call in server.calls("/v1/batches") if call["method"] == "POST"]
        assert (len(batches), max(0, len(here.asked()) - ROWS) <= AT_A_TIME) == (int(mode == "batch"), True)
    rows, meta = here.sealed()
    assert (meta["kept"], {row.payload["input"] for row in rows}) == (ROWS, set(texts))


def test_a_name_that_the_api_has_not_is_found_before_anything_is_spent(tmp_path: Path) -> None:
    with serve(Script(models=("Qwen/Qwen3-14B",)), process=True) as server:
        here = place(tmp_path, server)
        failed = here.distillc("run", "distill.yaml", "--until", "answers")
        assert failed.returncode == 5
        assert "did you mean `Qwen/Qwen3-14B`?" in failed.stderr
        assert here.asked() == []


def test_without_the_key_a_plan_is_made_and_says_so_and_a_run_does_not_begin(tmp_path: Path) -> None:
    def without_key(*command: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in here.environment.items() if name != "TEACHER_KEY"}
        return subprocess.run(here.command(*command), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    with serve(Script(keys=(KEY,)), process=True) as server:
        here = place(tmp_path, server)
        said = "distill.yaml:7: {}the environment variable TEACHER_KEY is not set, and `answers` needs it"
        planned = without_key("plan", "distill.yaml", "--strict", "-o", "plan.json")
        assert (planned.returncode, said.format("note: ") in planned.stderr) == (0, True)
        for what in ("distill.yaml", "plan.json"):
            failed = without_key("run", what)
            assert (failed.returncode, said.format("") in failed.stderr) == (2, True)
            assert "export TEACHER_KEY=" in failed.stderr and "started" not in failed.stderr
        assert not (tmp_path / "store" / "runs").exists() and server.calls() == []
        assert here.distillc("run", "plan.json").returncode == 0
        assert without_key("plan", "distill.yaml").stderr == "", "what is sealed needs no key"
        assert "nothing to do" in without_key("run", "distill.yaml").stderr
