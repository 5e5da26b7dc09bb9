"""Jobs: which stages are some, and what goes on beside them."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from distillc.compiler.plan import Plan
from distillc.plugins.api.manifest import Kind, Manifest
from distillc.runtimes import driver
from distillc.runtimes.contracts import contract_of, may_begin
from distillc.runtimes.driver import Outcome
from distillc.runtimes.store import Store
from distillc.runtimes.work import Allowance, Contract, StageWork
from distillc.spec.errors import StageFailed
from tests.unit.runtimes.small_plan import FakePlugins, InProcess, make_plan, make_stage, numbers_plan, paid_plan

SAID = {
    ("engines", "paid"): {"remote": True, "job": {"mode": "batch"}},
    ("trainers", "elsewhere"): {"remote": True},
    ("trainers", "here"): {},
}


class Plugins(FakePlugins):
    def manifest(self, kind: str, name: str) -> Manifest:
        return Manifest(kind=Kind(kind), name=name, summary="", config="", impl="", capabilities=SAID.get((kind, name), {}))


class Waiting(InProcess):
    """Its jobs let others have their turn first."""

    contracts = InProcess.contracts | {Contract.JOB}

    def __init__(self, plugins: FakePlugins, error: Exception | None = None) -> None:
        super().__init__(plugins)
        self.error = error

    async def run_job(self, work: StageWork, allowance: Allowance) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        if self.error:
            raise self.error
        await super().run_job(work, allowance)


def plan_with_a_job(mode: str = "batch", **budget: Any) -> Plan:
    """answers (a job) before `plus` (local, on other rows) and `odd` (on the answers)."""
    *before, answers = paid_plan(count=4, **budget).stages
    engine = {**answers.config["engine"], "mode": mode}
    job = make_stage(
        "answers", "generate", "ask", {**answers.config, "engine": engine}, {"rows": (before[0], None), "model": (before[1], None)}
    )
    ingest, split, plus, _ = numbers_plan().stages
    ingest = replace(ingest, id="other/ingest")
    split = make_stage("other", "split", None, split.config, {"rows": (ingest, None)})
    plus = make_stage("pairs", "generate", "plus", plus.config, {"rows": (split, None)})
    odd = make_stage("odd", "curate", "odd", {"task": job.config["task"], "seed": 0}, {"rows": (job, None)})
    return replace(make_plan(*before, job, odd, ingest, split, plus), budget=budget)


def run(plan: Plan, store: Store, executor: InProcess) -> Outcome:
    return driver.run(plan, folder=store.home.parent, store=store, executor=executor, plugins=executor.plugins)


def test_a_model_in_batch_mode_makes_a_job_and_the_same_one_in_sync_mode_a_map() -> None:
    for mode, contract in (("batch", Contract.JOB), ("sync", Contract.MAP)):
        assert contract_of(plan_with_a_job(mode).stage("answers"), Plugins()) is contract


def test_a_training_elsewhere_is_a_job_and_one_here_a_session() -> None:
    for trainer, contract in (("elsewhere", Contract.JOB), ("here", Contract.SESSION)):
        assert contract_of(make_stage("student", "train", trainer, {}, {}), Plugins()) is contract


def test_a_stage_that_asks_a_local_model_too_occupies_this_machine() -> None:
    engines = {"model.big": {"uses": "paid", "mode": "batch"}, "model.small": {"uses": "echo"}}
    assert contract_of(make_stage("answers", "generate", "ask", {"engines": engines}, {}), Plugins()) is Contract.MAP


def test_local_stages_go_on_beside_a_job_and_what_needs_it_waits(store: Store) -> None:
    executor = Waiting(Plugins())
    outcome = run(plan_with_a_job(), store, executor)
    assert (outcome.exit_code, outcome.error) == (0, None)
    order = executor.stages()
    assert order.index("pairs") < order.index("answers") < order.index("odd"), "the job ends after the local stage that came after it"
    assert set(outcome.states.values()) == {"sealed"}
    assert [stage for stage in plan_with_a_job().stages if store.sealed(stage.key) is None] == []


def test_a_job_that_fails_ends_the_run_after_the_stage_at_work(store: Store) -> None:
    outcome = run(plan_with_a_job(), store, Waiting(Plugins(), StageFailed("the batch was refused")))
    assert outcome.error is not None and outcome.error.message == "the batch was refused"
    assert outcome.exit_code == 5
    assert (outcome.states["answers"], outcome.states["odd"]) == ("failed", "waiting")


def test_nothing_is_measured_and_no_training_overtakes_its_check_beside_a_job() -> None:
    measure, train, overlap = (make_stage(kind, kind, "here", {}, {}) for kind in ("measure", "train", "overlap"))
    assert may_begin(measure, [measure], (), Plugins(), counted=False)
    assert not may_begin(measure, [measure], ("answers",), Plugins(), counted=False)
    assert may_begin(train, [train, overlap], ("answers",), Plugins(), counted=False)
    assert not may_begin(train, [overlap, train], ("answers",), Plugins(), counted=False)


@pytest.mark.parametrize(("counted", "begins"), [(True, False), (False, True)])
def test_with_a_budget_nothing_that_spends_begins_beside_a_job(counted: bool, begins: bool) -> None:
    answers = make_stage("more", "generate", "ask", {"engine": {"uses": "paid", "mode": "sync"}}, {})
    assert may_begin(answers, [answers], ("answers",), Plugins(), counted=counted) is begins
