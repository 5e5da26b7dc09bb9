"""A budget: a run stops before it would spend more than it may, says how to go on, and goes on once the limit is raised."""

import getpass
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from distillc.compiler.plan import Plan
from distillc.runtimes import driver
from distillc.runtimes.budget import Budget
from distillc.runtimes.driver import Outcome
from distillc.runtimes.events import EventLog
from distillc.runtimes.journal import Journal
from distillc.runtimes.ledger import Amount, Row, ledger, read_ledger, total
from distillc.runtimes.stages import asked
from distillc.runtimes.store import Store
from distillc.spec.errors import BudgetReached
from tests.unit.runtimes.small_plan import TASK, Echo, Endpoint, InProcess, Paid, make_plan, make_stage, numbers_plan, paid_plan

# A call takes 10 tokens in at $1 per million and 5 out at $2: $0.00002. It may take 8 out: $0.000026.


@pytest.fixture(autouse=True)
def fresh_engines() -> Iterator[None]:
    Paid.calls.clear()
    Echo.asked.clear()
    yield
    Paid.calls.clear()
    Echo.asked.clear()


def run(plan: Plan, store: Store, executor: InProcess, **options: Any) -> Outcome:
    return driver.run(plan, folder=store.home.parent, store=store, executor=executor, plugins=executor.plugins, **options)


def spent(store: Store, plan: Plan) -> Amount:
    return total(row for row in read_ledger(store.home / "runs", {stage.key for stage in plan}) if row.model)


def test_a_run_stops_before_the_overshoot_and_goes_on_when_the_budget_is_raised(store: Store, executor: InProcess) -> None:
    plan = paid_plan(usd="0.0001")
    outcome = run(plan, store, executor)
    # Four calls are $0.00008; a fifth may cost $0.000026, which would be over $0.0001 though it would have come to just that.
    assert len(Paid.calls) == 4
    assert outcome.exit_code == 4
    assert outcome.states == {"prose/ingest": "sealed", "big": "sealed", "answers": "stopped"}
    assert isinstance(outcome.error, BudgetReached)
    assert outcome.error.where == "answers"
    assert outcome.error.message == "the budget is reached: the next call may cost $0.000026, and $0.00002 may be spent"
    assert outcome.error.help == "raise `budget.usd` and run again: what is answered is kept"
    assert spent(store, plan).usd == Decimal("0.00008")
    journal = Journal(store.home / "journal.sqlite3")
    assert journal.runs()[0].state == "stopped"
    journal.close()

    again = run(plan, store, executor)
    assert (again.exit_code, len(Paid.calls)) == (4, 4)

    more = run(paid_plan(usd="0.01"), store, executor)
    assert (more.exit_code, more.error, more.states["answers"]) == (0, None, "sealed")
    assert sorted(Paid.calls) == sorted(f"{number} ->" for number in range(10))
    assert spent(store, plan).usd == Decimal("0.0002")


@pytest.mark.parametrize(("limit", "most", "calls"), [("tokens", 100, 6), ("calls", 3, 3)])
def test_tokens_and_calls_are_rationed_as_money_is(store: Store, executor: InProcess, limit: str, most: int, calls: int) -> None:
    """Six calls are 90 tokens, and a seventh may take 18."""
    outcome = run(paid_plan(**{limit: most}), store, executor)
    assert (outcome.exit_code, len(Paid.calls)) == (4, calls)
    assert outcome.error is not None and f"`budget.{limit}`" in str(outcome.error.help)


def test_shards_share_what_is_allowed(store: Store, executor: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "SHARD_ROWS", 3)
    plan = paid_plan(usd="0.0001")
    assert run(plan, store, executor).exit_code == 4
    assert len(Paid.calls) == 4
    assert [(row.shard, row.amount.calls) for row in read_ledger(store.home / "runs", {stage.key for stage in plan}) if row.model] == [
        (0, 3),
        (1, 1),
    ]


def test_what_was_spent_by_a_run_that_was_killed_counts(store: Store, executor: InProcess) -> None:
    """The killed run paid two calls and one that is in no journal; the next one's allowance is less by what is known of."""
    plan = paid_plan(usd="0.000126")
    pay, before = Paid.generate, Paid.calls

    def killed(self: Paid, *asked: Any) -> Any:
        for number, answer in pay(self, *asked):
            yield number, answer
            if len(before) == 2:
                raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Paid, "generate", killed)
        run(plan, store, executor)
    assert len(Paid.calls) == 2
    outcome = run(plan, store, executor)
    assert (outcome.exit_code, len(Paid.calls)) == (4, 6)
    assert spent(store, plan).usd <= Decimal("0.000126")


TEN = {"input": "10000", "output": "0", "discount": "0"}  # a call of ten tokens in is ten cents


def told(calls: int, *, found: int = 0, lost: int = 0, doubt: int = 0, opened: float = 0.0, **other: Any) -> dict[str, Any]:
    """Of calls that cost ten cents each. `found` has no price, for the journal knows none."""

    def figures(calls: int) -> dict[str, Any]:
        return {"calls": calls, "prompt_tokens": 10 * calls, "completion_tokens": 5 * calls, "usd": str(Decimal("0.1") * calls)}

    event = {"event": "spent", "stage": "answers", "shard": 0, "model": "big", "seconds": 1.0, "time": 2.0, "prices": TEN, "opened": opened}
    found_there = {**figures(found), "usd": "0", "answers": found}
    return {
        **event,
        "answers": calls - lost,
        **figures(calls),
        "lost": figures(lost),
        "in_doubt": figures(doubt),
        "found": found_there,
    } | other


def run_of(*events: dict[str, Any], actor: str = "ada", key: str = "k") -> list[dict[str, Any]]:
    begun = {"event": "run started", "time": 0.0, "actor": actor}
    return [begun, {"event": "stage started", "stage": "answers", "key": key, "kind": "generate", "time": 1.0}, *events]


def summed(*logs: list[dict[str, Any]]) -> list[Row]:
    return [row for row in ledger(logs, {"k"}) if row.model]


def test_what_was_billed_and_not_answered_stays_in_the_ledger() -> None:
    """Six paid calls, one of them without an answer; the next run finds five answers and pays three calls more: nine in all."""
    [row] = summed(run_of(told(6, lost=1)), run_of(told(3, found=5, opened=1.0)))
    assert (row.amount.answers, row.amount.calls, row.amount.lost) == (8, 9, 1)
    assert (row.amount.usd, row.amount.lost_usd) == (Decimal("0.9"), Decimal("0.1"))


def test_what_a_kill_left_untold_is_known_when_the_next_run_finds_it_and_the_rest_is_lost() -> None:
    """Four calls are told of, and that three more may be out. Until another run looks, all three are lost; it finds one of them."""
    killed = run_of(told(2, doubt=1), told(4, doubt=3))
    [row] = summed(killed)
    assert (row.amount.answers, row.amount.calls, row.amount.lost, row.amount.usd) == (4, 7, 3, Decimal("0.7"))
    [row] = summed(killed, run_of(told(3, found=5, opened=1.0)))
    assert (row.amount.answers, row.amount.calls, row.amount.lost, row.amount.usd) == (8, 10, 2, Decimal("1.0"))
    assert row.amount.lost_usd == Decimal("0.2")


def test_what_was_paid_keeps_its_price_its_user_and_its_key() -> None:
    """Three calls at ten cents, one of which a kill left untold, and then two at a dollar, by somebody else."""
    dear = {"prices": {**TEN, "input": "100000"}, "usd": "2.0", "key_name": "env:OTHER"}
    first, second = summed(run_of(told(2, doubt=1)), run_of(told(2, found=3, opened=1.0, **dear), actor="bob"))
    assert (first.amount.answers, first.amount.usd, first.actor, first.key_name, first.prices) == (3, Decimal("0.3"), "ada", None, TEN)
    assert (second.amount.answers, second.amount.usd, second.actor, second.key_name) == (2, Decimal("2.0"), "bob", "env:OTHER")


def test_a_worker_that_is_started_again_within_a_run_adds_up() -> None:
    [row] = summed(run_of(told(4, doubt=2), told(3, found=5, opened=1.0)))
    assert (row.amount.answers, row.amount.calls, row.amount.lost, row.amount.usd) == (8, 9, 1, Decimal("0.9"))


def test_what_was_adopted_was_paid_for_all_the_same() -> None:
    """Through two adoptions, and once, though two stages have adopted it."""
    adopted = [{"event": "stage adopted", "stage": "answers", "key": new, "of": old, "time": 0.0} for new, old in (("l", "m"), ("k", "l"))]
    paid = run_of(told(2), key="m")
    [row] = summed(paid, adopted[:1], adopted[1:])
    assert (row.key, row.amount.usd) == ("k", Decimal("0.2"))
    again = {**adopted[1], "key": "n"}
    assert total(ledger([paid, adopted, [again]], {"k", "n"})).usd == Decimal("0.2")
    assert total(ledger([paid, adopted], {"k", "m"})).usd == Decimal("0.2")


def test_a_training_elsewhere_counts_in_money_and_in_tokens(store: Store) -> None:
    """A million trained tokens at $0.4, of a budget of $1 and a million and a half tokens; what is trained here costs neither."""
    plan = paid_plan(usd="1", tokens=1_500_000)
    log = EventLog(store.home / "runs" / "earlier" / "events.jsonl")
    for number, trained in enumerate(({"tokens": 1_000_000, "job": "job-a", "price": "0.4"}, {"tokens": 700_000})):
        log.emit("stage started", stage=f"student{number}", key=plan.stages[number].key, kind="train")
        log.emit("trained", stage=f"student{number}", **trained)
    log.close()
    left = Budget(plan, store.home / "runs").left()
    assert (left.usd, left.tokens) == (Decimal("0.6"), 500_000)


def local_plan(count: int) -> Plan:
    """The same with a model on this machine."""
    plan = paid_plan(count=count)
    ingest, big, _ = plan.stages
    config = {"model": "big", "engine": {"uses": "echo"}, "task": TASK, "seed": 0, "decoding": {"max_tokens": 8}}
    return make_plan(ingest, big, make_stage("answers", "generate", "ask", config, {"rows": (ingest, None), "model": (big, None)}))


def test_an_engine_of_this_machine_spends_tokens_and_no_money(store: Store, executor: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Endpoint, "format", "here")
    plan = replace(local_plan(4), budget={"calls": 1, "tokens": 1, "usd": "0"})
    assert run(plan, store, executor).exit_code == 0
    amount = spent(store, plan)
    assert (amount.answers, amount.calls, amount.prompt_tokens, amount.completion_tokens, amount.usd) == (4, 0, 4, 4, 0)


def test_no_batch_begins_after_the_time_and_the_answers_before_it_are_kept(
    store: Store, executor: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(local_plan(6), budget={"wall": 60.0})
    now = 1000.0
    monkeypatch.setattr(time, "time", lambda: now)
    generate = Echo.generate

    def slow(self: Echo, *asked: Any) -> Any:
        nonlocal now
        yield from generate(self, *asked)
        now += 40.0

    monkeypatch.setattr(Echo, "generate", slow)
    outcome = run(plan, store, executor)
    assert (outcome.exit_code, outcome.states["answers"]) == (4, "stopped")
    assert Echo.asked == [["0 ->", "1 ->"], ["2 ->", "3 ->"]]  # batches of two rows; the third would begin after 80 s
    assert run(plan, store, executor).exit_code == 0
    assert Echo.asked[2:] == [["4 ->", "5 ->"]]


def test_the_ledger_names_who_ran_it_and_the_key_by_its_name(store: Store, executor: InProcess) -> None:
    plan = paid_plan()
    run(plan, store, executor)
    (row,) = [row for row in read_ledger(store.home / "runs", {plan.stage("answers").key}) if row.model]
    assert (row.stage, row.kind, row.shard, row.model) == ("answers", "generate", 0, "big")
    assert (row.actor, row.key_name) == (getpass.getuser(), "env:BIG_KEY")
    assert row.prices == {"input": "1.0", "output": "2.0", "discount": "0"}


def test_when_the_time_is_over_nothing_more_begins(store: Store, executor: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "time", lambda: now)
    plan = replace(numbers_plan(), budget={"wall": 60.0})
    session = executor.run_reduce

    async def slow(work: Any) -> None:
        nonlocal now
        await session(work)
        now += 50.0

    monkeypatch.setattr(executor, "run_reduce", slow)
    outcome = run(plan, store, executor)
    # The second stage begins after 50 s and is done to its end; the third would begin after 100.
    assert outcome.states == {"prose/ingest": "sealed", "prose": "sealed", "pairs": "waiting", "odd": "waiting"}
    assert outcome.exit_code == 4
    assert outcome.error is not None and outcome.error.message == "the budget is reached: `budget.wall` is over"
    assert str(outcome.error.help).startswith("run again to go on from here")
    # Cutting into shards takes 50 s; after 40 none of them begins, and what was cut is kept.
    assert run(replace(plan, budget={"wall": 40.0}), store, executor).states["pairs"] == "stopped"
    assert run(replace(plan, budget={"wall": 1000.0}), store, executor).exit_code == 0
