"""Batches on a server that does what servers do: what each fault comes to, and that nothing is submitted twice."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from distillc.runtimes.meter import Meter, Price
from distillc.runtimes.remote.batch_lines import LIMITS, Limits
from distillc.runtimes.work import Allowance
from distillc.spec.errors import BudgetReached, StageFailed
from distillc.testing.server import Fault, Script, Teach, serve
from distillc.testing.server.script import Batches as Habits
from distillc.testing.server.script import Dialect
from tests.unit.runtimes.remote.asked_batches import ROWS, Asked, asked, body_of, finished, left, listed, made, shorten_waits, submitted

DIALECTS: tuple[Dialect, ...] = ("openai", "nebius", "generic")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_waits(monkeypatch)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_row_has_its_own_answer_in_either_envelope_and_in_any_order(tmp_path: Path, dialect: Dialect) -> None:
    with serve(Script(), dialect=dialect) as server, asked(server, tmp_path, dialect) as here:
        answers = here.ask()
        assert {name: answer.text for name, answer in answers.items()} == {
            f"{i} She go to school on day {i}.": f"She goes to school on day {i}." for i in range(ROWS)
        }
        assert list(answers) != sorted(answers, key=lambda name: int(name.split()[0])), "the server shuffles"
        assert submitted(server) == 1
        billed = server.totals()["totals"]["Qwen/Qwen3-4B batch"]
        assert (billed["prompt_tokens"], billed["completion_tokens"]) == (
            sum(answer.prompt_tokens for answer in answers.values()),
            sum(answer.completion_tokens for answer in answers.values()),
        )
    assert left(tmp_path) == []
    assert here.warnings == []


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("habit", ["errors", "errors_inside", "without_id", "broken"])
def test_rows_that_failed_are_asked_once_more_and_then_are_errors(tmp_path: Path, habit: str, dialect: Dialect) -> None:
    habits: dict[str, Any] = {habit: 3}
    with serve(Script(batches=Habits(**habits)), dialect=dialect) as server, asked(server, tmp_path, dialect) as here:
        answers = here.ask()
        assert submitted(server) == 2
        # the second batch has three rows, and the server fails as many of each
        assert finished(answers) == {"stop": ROWS - 3, "error": 3}
        assert all(answer.text == "" for answer in answers.values() if answer.finish_reason == "error")
        assert len(here.warnings) == 2 and f"3 of {ROWS} rows" in here.warnings[0]
    assert left(tmp_path) == []


def test_a_row_that_failed_once_is_answered_by_the_second_batch(tmp_path: Path) -> None:
    with serve(Script(batches=Habits(errors=3))) as server, asked(server, tmp_path) as here:
        rows = here.batches.answers([f"row {i}" for i in range(ROWS)], body_of(here), None)
        got = [next(rows)]
        server.change(Script())
        got += rows
        assert sorted(index for index, _ in got) == list(range(ROWS))
        assert {answer.finish_reason for _, answer in got} == {"stop"}
        assert submitted(server) == 2


def test_an_id_that_comes_twice_counts_once_and_equal_rows_each_have_an_answer(tmp_path: Path) -> None:
    same = ["She go home."] * 5 + ["He go home."] * 5
    with serve(Script(batches=Habits(doubled=4))) as server, asked(server, tmp_path) as here:
        answers = here.ask(same)
        assert len(answers) == 10 and finished(answers) == {"stop": 10}
        assert {(name.split()[1], answer.text) for name, answer in answers.items()} == {("She", "She goes home."), ("He", "He goes home.")}
        assert submitted(server) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_an_expired_batch_has_is_taken_and_the_others_are_asked_again(tmp_path: Path, dialect: Dialect) -> None:
    with serve(Script(batches=Habits(ends="expired", done=0.75)), dialect=dialect) as server, asked(server, tmp_path, dialect) as here:
        rows = here.batches.answers([f"row {i}" for i in range(ROWS)], body_of(here), None)
        got = [next(rows)]
        server.change(Script())
        got += rows
        assert sorted(index for index, _ in got) == list(range(ROWS))
        assert submitted(server) == 2


def test_two_batches_that_expire_end_the_stage_and_another_run_goes_on(tmp_path: Path) -> None:
    with serve(Script(batches=Habits(ends="expired", done=0.75))) as server:
        with asked(server, tmp_path) as here, pytest.raises(StageFailed, match="has expired, as one before it: 1 rows"):
            here.ask()
        # three quarters of 20, then three quarters of 5, which rounds to 4
        assert len(here.answers) == 19
        server.change(Script())
        with asked(server, tmp_path) as again:
            assert finished(again.ask(["the one that is missing"])) == {"stop": 1}


def test_what_a_cancelled_batch_has_is_taken_and_its_rest_is_an_error_that_says_so(tmp_path: Path) -> None:
    with serve(Script(batches=Habits(done=0.5))) as server, asked(server, tmp_path) as here:
        cancelled = False

        def cancel(event: str, **fields: Any) -> None:
            nonlocal cancelled
            if event == "job" and not cancelled:
                cancelled = True
                [batch] = [call for call in here.said if call["event"] == "job submitted"]
                here.loop.create_task(here.client.ask("POST", f"/batches/{batch['job']}/cancel"))
            Asked.emit(here, event, **fields)

        here.batches._emit = cancel
        with pytest.raises(StageFailed, match="was cancelled, and 10 of its rows have no answer"):
            here.ask()
        assert finished(here.answers) == {"stop": 10}
    assert left(tmp_path) == ["past.json"]


def test_a_batch_that_is_refused_as_a_whole_says_which_line(tmp_path: Path) -> None:
    script = Script(models=("Qwen/Qwen3-14B",), faults=(Fault(status=404, method="GET", path="/v1/models"),))  # it lists none
    with serve(script) as server, asked(server, tmp_path) as here:
        with pytest.raises(StageFailed, match="failed: The model 'Qwen/Qwen3-4B' does not exist") as caught:
            here.ask()
        assert caught.value.help == "change what it does not take, then run again"
    assert left(tmp_path) == ["past.json"]


def test_where_every_row_fails_nothing_is_taken_for_an_answer(tmp_path: Path) -> None:
    with serve(Script(batches=Habits(errors=ROWS))) as server, asked(server, tmp_path) as here:
        with pytest.raises(StageFailed, match="The server was told to fail"):
            here.ask()
        assert here.answers == {}


def test_a_state_that_nobody_knows_is_waited_for_and_warned_of_once(tmp_path: Path) -> None:
    with serve(Script(batches=Habits(state="pondering"))) as server, asked(server, tmp_path) as here:
        assert finished(here.ask()) == {"stop": ROWS}
        assert [warning for warning in here.warnings if "'pondering'" in warning] == here.warnings != []
        assert len(here.warnings) == 1


def test_a_batch_that_never_ends_is_waited_for_no_longer_than_told_and_found_again(tmp_path: Path) -> None:
    with serve(Script(batches=Habits(ends="never"))) as server:
        for _ in range(2):
            with asked(server, tmp_path, patience=0.05 / 3600) as here, pytest.raises(StageFailed, match="has not ended within") as caught:
                here.ask()
            assert "nothing is submitted twice" in (caught.value.help or "")
        assert submitted(server) == 1


@pytest.mark.parametrize("counts", ["null", "empty"])
def test_counts_that_are_not_told_harm_nothing(tmp_path: Path, counts: Any) -> None:
    with serve(Script(batches=Habits(counts=counts))) as server, asked(server, tmp_path) as here:
        assert finished(here.ask()) == {"stop": ROWS}


def test_while_it_waits_it_tells_how_far_the_batch_is(tmp_path: Path) -> None:
    with serve(Script()) as server, asked(server, tmp_path) as here:
        here.ask()
    done = [event["done"] for event in here.said if event["event"] == "progress"]
    assert done == sorted(done) and len(set(done)) > 3
    assert {event["total"] for event in here.said if event["event"] == "progress"} == {ROWS}
    assert [event["state"] for event in here.said if event["event"] == "job"][-1] == "completed"


FAULTS = {
    "reset": "the connection is reset within the answer",
    "cut": "it is closed",
    "half": "half the answer comes",
    "html": "a page comes; nothing was made",
    "no_body": "nothing comes",
    "other_shape": "something else comes",
    "hang_up": "no answer comes; nothing was made",
}


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("path", ["/v1/batches", "/v1/files"])
def test_an_answer_that_is_lost_makes_no_second_batch(tmp_path: Path, kind: Any, path: str) -> None:
    with serve(Script(faults=(Fault(kind=kind, path=path, times=1),))) as server, asked(server, tmp_path) as here:
        if (kind, path) in {(kind, "/v1/files") for kind in ("half", "html", "no_body")}:
            with pytest.raises(StageFailed, match="what came is no JSON"):
                here.ask()
            here.ask()
        else:
            here.ask()
        assert finished(here.answers) == {"stop": ROWS}
        assert made(server) == 1


@pytest.mark.parametrize("status", [500, 503, 429])
@pytest.mark.parametrize("path", ["/v1/batches", "/v1/files", "/v1/batches/*", "/v1/files/*"])
def test_what_passes_is_waited_out(tmp_path: Path, status: int, path: str) -> None:
    fault = Fault(status=status, retry_after="0.01" if status == 429 else "", path=path, method="*", times=2)
    with serve(Script(faults=(fault,))) as server, asked(server, tmp_path) as here:
        assert finished(here.ask()) == {"stop": ROWS}
        assert made(server) == 1


@pytest.mark.parametrize("kind", ["reset", "cut", "half"])
def test_half_an_output_file_is_fetched_again(tmp_path: Path, kind: Any) -> None:
    fault = Fault(kind=kind, method="GET", path="/v1/files/*/content", times=1)
    with serve(Script(faults=(fault,))) as server, asked(server, tmp_path) as here:
        assert finished(here.ask()) == {"stop": ROWS}
        assert made(server) == 1


@pytest.mark.parametrize(("status", "says"), [(401, "api_key"), (422, "422"), (403, "api_key")])
def test_what_does_not_pass_is_one_clear_error(tmp_path: Path, status: int, says: str) -> None:
    with serve(Script(faults=(Fault(status=status, path="/v1/batches"),))) as server, asked(server, tmp_path) as here:
        with pytest.raises(StageFailed) as caught:
            here.ask()
        assert says in f"{caught.value.message} {caught.value.help}"
        assert made(server) == 0


def test_whoever_is_stopped_while_answers_are_read_goes_on_with_the_same_batch(tmp_path: Path) -> None:
    prompts = [f"row {i}" for i in range(ROWS)]
    with serve(Script()) as server:
        with asked(server, tmp_path) as here:
            had = here.ask(prompts, stop_after=7)
        rest = [prompt for i, prompt in enumerate(prompts) if f"{i} {prompt}" not in had]
        with asked(server, tmp_path) as again:
            assert finished(again.ask(rest)) == {"stop": ROWS - 7}
        assert made(server) == 1
    assert left(tmp_path) == []


def test_rows_are_cut_into_files_by_both_limits(tmp_path: Path) -> None:
    with serve(Script()) as server, asked(server, tmp_path) as here:
        here.batches.limits = Limits(rows=8, bytes=1_000_000)
        assert finished(here.ask()) == {"stop": ROWS}
        assert made(server) == 3  # 8, 8, 4
    with serve(Script()) as server, asked(server, tmp_path / "bytes") as here:
        here.batches.limits = Limits(rows=100, bytes=1000)
        assert finished(here.ask()) == {"stop": ROWS}
        sizes = [file["bytes"] for file in listed(server, "files") if file["purpose"] == "batch"]
        assert made(server) == len(sizes) > 1 and max(sizes) <= 1000


def test_with_nothing_to_be_kept_no_file_is_left_on_the_other_side(tmp_path: Path) -> None:
    fault = Fault(kind="reset", path="/v1/files", times=1)  # the first upload arrives, and nobody is told its id
    with serve(Script(faults=(fault,), batches=Habits(errors=2))) as server, asked(server, tmp_path, keep=False) as here:
        here.ask()
        assert here.loop.run_until_complete(here.client.ask("GET", "/files"))["data"] == []


def test_filtered_truncated_and_refused_rows_are_what_they_are(tmp_path: Path) -> None:
    teach = tuple(Teach(teacher=t, contains=f"day {i}.") for i, t in enumerate(("filter", "truncate", "refuse"), 10))  # type: ignore[arg-type]
    with serve(Script(teach=teach)) as server, asked(server, tmp_path) as here:
        assert finished(here.ask()) == {"stop": ROWS - 3, "content_filter": 1, "length": 1, "refusal": 1}


def test_it_costs_half_and_stops_before_the_budget(tmp_path: Path) -> None:
    """A row may take its body's bytes in, at a dollar a token, and 64 tokens out for nothing; it takes 12 or so in."""
    price = Price(Decimal(1_000_000), Decimal(0), Decimal("0.5"))
    with serve(Script()) as server, asked(server, tmp_path) as here:
        size = len(json.dumps(body_of(here)("She go to school on day 0."), ensure_ascii=False))
        meter = Meter(Allowance(usd=Decimal(size) / 2 * 7), price)  # room for seven rows, or the more of those that cost less
        here.ask(10, meter)
        billed = server.totals()["totals"]["Qwen/Qwen3-4B batch"]
        assert meter.spent.usd == Decimal(billed["prompt_tokens"]) / 2
        assert made(server) == 2
        assert meter.in_flight == 0
    with serve(Script()) as server, asked(server, tmp_path / "less") as here:
        meter = Meter(Allowance(usd=Decimal(1)), price)
        with pytest.raises(BudgetReached):
            here.ask(10, meter)
        assert made(server) == 0 and meter.in_flight == 0


def test_a_budget_makes_no_batch_of_less_than_a_tenth_and_says_what_all_that_is_left_may_cost(tmp_path: Path) -> None:
    """A row may cost $67, for an API may pass the limit by three tokens, and costs $8 or so: of $500 seven rows go out at first."""
    price = Price(Decimal(0), Decimal(1_000_000))
    with serve(Script()) as server, asked(server, tmp_path) as here:
        meter = Meter(Allowance(usd=Decimal(500)), price)
        with pytest.raises(BudgetReached) as stopped:
            here.ask(40, meter)
        left = 40 - len(here.answers)
        assert left > 0 and len(here.answers) / made(server) >= 4
        may = f"the next {left} calls may cost ${67 * left}.00, and ${500 - int(meter.spent.usd)}.00 may be spent"
        assert stopped.value.message == f"the budget is reached: {may}"


def test_there_is_a_limit_for_each_dialect() -> None:
    assert {dialect: tuple(LIMITS[dialect]) for dialect in DIALECTS} == {
        "openai": (50_000, 200_000_000), "nebius": (5_000_000, 10_000_000_000), "generic": (50_000, 100_000_000),
    }  # fmt: skip
