"""Batches that end as they should not, and runs that end while one is out: nothing that was paid is bought again, or not counted."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from distillc.runtimes.meter import Meter, Price
from distillc.runtimes.remote import batches, jobs
from distillc.runtimes.remote.batch_lines import Limits
from distillc.runtimes.remote.files import delete_named, upload
from distillc.runtimes.work import Allowance
from distillc.spec.errors import StageFailed
from distillc.testing.server import Fault, Script, serve
from distillc.testing.server.batch_pages import BatchPages
from distillc.testing.server.script import Batches as Habits
from distillc.testing.server.script import Dialect
from tests.unit.runtimes.remote.asked_batches import ROWS, Asked, asked, body_of, finished, left, listed, made, shorten_waits

PROMPTS = [f"row {number}" for number in range(ROWS)]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_waits(monkeypatch)


class Killed(BaseException):
    pass


def kill_at(here: Asked, event: str, time: int) -> None:
    """The run ends when it says this for the so-manieth time."""
    said = 0

    def emit(name: str, **fields: Any) -> None:
        nonlocal said
        said += name == event
        here.emit(name, **fields)
        if said == time:
            raise Killed

    here.batches._emit = emit


def rest(here: Asked) -> list[str]:
    """The prompts that have no answer: what a journal would ask next."""
    return [prompt for number, prompt in enumerate(PROMPTS) if f"{number} {prompt}" not in here.answers]


# --- killed


def test_killed_while_the_second_batch_is_out_rows_that_fail_twice_are_errors_as_without_a_kill(tmp_path: Path) -> None:
    with serve(Script(batches=Habits(errors=3))) as server:
        with asked(server, tmp_path) as here:
            kill_at(here, "job submitted", 2)
            with pytest.raises(Killed):
                here.ask(PROMPTS)
        with asked(server, tmp_path) as again:
            assert finished(again.ask(rest(here))) == {"error": 3}
        assert made(server) == 2
    assert left(tmp_path) == []


def test_killed_between_two_batches_the_second_is_the_second_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(Script(batches=Habits(errors=3))) as server:
        with asked(server, tmp_path) as here, monkeypatch.context() as patch:
            first = here.batches._made
            calls = iter([first])
            patch.setattr(here.batches, "_made", lambda rows: next(calls)(rows))  # the second time: StopIteration, as good as a kill
            with pytest.raises(RuntimeError):
                here.ask(PROMPTS)
        assert len(here.answers) == ROWS - 3
        with asked(server, tmp_path) as again:
            assert finished(again.ask(rest(here))) == {"error": 3}
        assert made(server) == 2


def test_where_every_row_failed_another_run_begins_anew(tmp_path: Path) -> None:
    with serve(Script(batches=Habits(errors=ROWS))) as server:
        with asked(server, tmp_path) as here, pytest.raises(StageFailed, match="The server was told to fail"):
            here.ask()
        server.change(Script(batches=Habits(errors=2)))
        with asked(server, tmp_path) as again:
            assert finished(again.ask()) == {"stop": ROWS - 2, "error": 2}
        assert made(server) == 4, "two each"


# --- files that are not there


def hide(monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
    """For so many looks the server says that a batch is done, and of no file."""
    told, seen = BatchPages._object, 0

    def objects(self: Any, *args: Any) -> dict[str, object]:
        nonlocal seen
        found = told(self, *args)
        if found["output_file_id"] and seen < looks:
            seen += 1
            return {**found, "output_file_id": None}
        return found

    monkeypatch.setattr(BatchPages, "_object", objects)


@pytest.mark.parametrize("dialect", ["openai", "nebius"])
@pytest.mark.parametrize("counted", ["numbers", "null"])
def test_a_file_that_is_told_late_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dialect: Dialect, counted: Any) -> None:
    hide(monkeypatch, 2)
    with serve(Script(batches=Habits(counts=counted)), dialect=dialect) as server, asked(server, tmp_path, dialect) as here:
        assert finished(here.ask()) == {"stop": ROWS}
        assert made(server) == 1
        assert here.warnings == [f"{ROWS} answers of batch {here.said[0]['job']}, which has ended, are in no file there; looking for 0 s"]


@pytest.mark.parametrize(("path", "looks"), [("/v1/files/*", 1), ("/v1/files/*/content", 2)])
def test_a_file_that_is_unknown_for_a_moment_is_fetched_all_the_same(tmp_path: Path, path: str, looks: int) -> None:
    """The first path is that of what is told of the file, which nobody needs."""
    with serve(Script(faults=(Fault(status=404, method="GET", path=path, times=1),))) as server, asked(server, tmp_path) as here:
        assert finished(here.ask()) == {"stop": ROWS}
        assert made(server) == 1
        assert len(here.warnings) == looks - 1


def test_answers_that_stay_in_no_file_are_bought_again_only_where_somebody_says_so(tmp_path: Path) -> None:
    gone = Fault(status=404, method="GET", path="/v1/files/*/content")
    with serve(Script(faults=(gone,))) as server:
        for _ in range(2):
            with (
                asked(server, tmp_path) as here,
                pytest.raises(StageFailed, match="20 answers that it has made are in no file") as caught,
            ):
                here.ask()
            assert "`distillc cancel`" in str(caught.value.help)
        assert made(server) == 1 and "00001.job.json" in left(tmp_path)
        with asked(server, tmp_path) as here:
            job = jobs.read_job(tmp_path / "jobs" / "00001.job.json")
            how = here.loop.run_until_complete(jobs.cancel(here.client, job, batches.STATES.ended))
            assert how is jobs.Cancelled.ENDED
        server.change(Script(faults=(gone.model_copy(update={"times": 1}),)))
        with asked(server, tmp_path) as again:
            assert finished(again.ask()) == {"stop": ROWS}
        assert made(server) == 2
    assert left(tmp_path) == []


def test_a_few_rows_that_are_told_nowhere_are_asked_again(tmp_path: Path) -> None:
    """Two of twenty; of the second batch all, which leaves no file."""
    with serve(Script(batches=Habits(missing=2))) as server:
        with asked(server, tmp_path) as here, pytest.raises(StageFailed, match="2 answers that it has made are in no file"):
            here.ask()
        assert finished(here.answers) == {"stop": ROWS - 2}
        assert made(server) == 2


# --- what it cost

PRICE = Price(Decimal(1_000_000), Decimal(0), Decimal("0.5"))  # half a dollar a token in


def most(here: Asked, prompt: str) -> Decimal:
    """What a row may cost: its body's bytes as tokens in."""
    return Decimal(len(json.dumps(body_of(here)(prompt), ensure_ascii=False).encode())) / 2


@pytest.mark.parametrize(("habit", "lost"), [("broken", 6), ("without_id", 6), ("errors", 0), ("errors_inside", 0)])
def test_a_row_that_ran_and_is_told_nowhere_counts_at_the_most(tmp_path: Path, habit: str, lost: int) -> None:
    """Three of twenty rows, and the same three of the second batch: the server bills them, unless they failed."""
    habits: dict[str, Any] = {habit: 3}
    with serve(Script(batches=Habits(**habits))) as server, asked(server, tmp_path) as here:
        told: list[int] = []
        meter = Meter(Allowance(), PRICE, lambda: told.append(meter.lost.calls))
        answers = here.ask(PROMPTS, meter)
        assert told == ([3, 6] if lost else []), "at once: hours may pass until the next answer, and a kill in them"
        billed = server.totals()["totals"]["Qwen/Qwen3-4B batch"]
        failed = [name.partition(" ")[2] for name, answer in answers.items() if answer.finish_reason == "error"]
        assert len(failed) == 3
        assert (meter.spent.calls, meter.lost.calls) == (billed["calls"], lost) == (ROWS - 3 + lost, lost)
        assert meter.lost.usd == sum(most(here, prompt) for prompt in failed) * (2 if lost else 0)
        read = sum(answer.prompt_tokens for answer in answers.values())
        assert meter.spent.usd == meter.lost.usd + Decimal(read) / 2
        assert meter.in_flight == 0


@pytest.mark.parametrize("dialect", ["openai", "nebius"])
def test_rows_that_never_ran_cost_nothing(tmp_path: Path, dialect: Dialect) -> None:
    with serve(Script(batches=Habits(ends="expired", done=0.75)), dialect=dialect) as server, asked(server, tmp_path, dialect) as here:
        meter = Meter(Allowance(), PRICE)
        with pytest.raises(StageFailed, match="has expired"):
            here.ask(PROMPTS, meter)
        assert (meter.spent.calls, meter.lost.calls) == (server.totals()["totals"]["Qwen/Qwen3-4B batch"]["calls"], 0) == (19, 0)


# --- what the other side no longer has


def test_a_batch_that_its_platform_does_not_know_is_said_when_the_others_are_collected(tmp_path: Path) -> None:
    with serve(Script(batches=Habits(seconds=50_000))) as server:  # the other goes on when the first was looked for often enough
        with asked(server, tmp_path) as here:
            here.batches.limits = Limits(rows=10, bytes=1_000_000)
            kill_at(here, "job submitted", 2)
            with pytest.raises(Killed):
                here.ask(PROMPTS)
        file = tmp_path / "jobs" / "00001.job.json"
        file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), "id": "batch_elsewhere"}), encoding="utf-8")
        with asked(server, tmp_path) as here:
            with pytest.raises(StageFailed, match="knows no job batch_elsewhere") as caught:
                here.ask(PROMPTS)
            assert "`distillc cancel`" in str(caught.value.help)
            assert finished(here.answers) == {"stop": 10}
            how = here.loop.run_until_complete(jobs.cancel(here.client, jobs.read_job(file), batches.STATES.ended))
            assert how is jobs.Cancelled.GONE
        with asked(server, tmp_path) as again:
            assert finished(again.ask(rest(here))) == {"stop": 10}
        assert made(server) == 3


@pytest.mark.parametrize("out", [ROWS, 10])
def test_what_is_out_is_collected_though_its_model_has_left_the_catalogue(tmp_path: Path, out: int) -> None:
    """Nothing new is made, and where rows are left that is why the run ends."""
    with serve(Script()) as server:
        with asked(server, tmp_path) as here:
            kill_at(here, "job submitted", 1)
            with pytest.raises(Killed):
                here.ask(PROMPTS[:out])
        server.change(Script(models=("other/model",)))
        with asked(server, tmp_path) as here:
            if out == ROWS:
                here.ask(PROMPTS)
            else:
                with pytest.raises(StageFailed, match="there is no model of this name"):
                    here.ask(PROMPTS)
            assert finished(here.answers) == {"stop": out}
        assert made(server) == 1


def test_files_are_deleted_over_all_pages_of_their_list(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("{}\n", encoding="utf-8")
    with serve(Script()) as server, asked(server, tmp_path) as here:
        for _ in range(101):
            here.loop.run_until_complete(upload(here.client, tmp_path / "rows.jsonl", name="distillc-token.jsonl", purpose="batch"))
        here.loop.run_until_complete(delete_named(here.client, "token"))
        asked_for = [call["method"] for call in server.calls() if call["path"].startswith("/v1/files") and call["method"] != "POST"]
        assert asked_for == ["GET"] * 2 + ["DELETE"] * 101, "no page begins after a file that is gone"
        assert listed(server, "files") == []
