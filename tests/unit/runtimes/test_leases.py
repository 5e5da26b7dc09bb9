"""Leases: one server for all stages that ask it, the order that keeps its life short, and its end."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from distillc.compiler.plan import Plan, Stage
from distillc.plugins.api.artifacts import Model
from distillc.plugins.api.manifest import Kind, Manifest
from distillc.runtimes import driver
from distillc.runtimes.contracts import answers_each, contract_of, is_leased, is_remote, leased, spends
from distillc.runtimes.driver import Outcome
from distillc.runtimes.store import Store
from distillc.runtimes.work import Contract, Lease, LeaseRequest, Where
from distillc.spec.errors import UsageError
from tests.unit.runtimes.small_plan import TASK, Echo, EchoConfig, FakePlugins, InProcess, make_plan, make_stage

SERVED = {"uses": "served"}


class Served(Echo):
    """An engine of a server: remembers which it was told to ask."""

    asked_at: list[tuple[str, str]] = []  # noqa: RUF012 - one list for the whole test, on purpose

    def open(self, model: Model, *, seed: int, base_url: str = "", name: str = "") -> Echo:
        Served.asked_at.append((base_url, name))
        return self


class Plugins(FakePlugins):
    table = {**FakePlugins.table, ("engines", "served"): (EchoConfig, Served)}  # noqa: RUF012

    def manifest(self, kind: str, name: str) -> Manifest:
        said = {"served": {"lease": True}, "paid": {"remote": True}}.get(name, {})
        return Manifest(kind=Kind(kind), name=name, summary="", config="", impl="", capabilities=said)


class Leasing(InProcess):
    contracts = frozenset(Contract)

    def __init__(self, plugins: FakePlugins) -> None:
        super().__init__(plugins)
        self.wanted: list[LeaseRequest] = []

    @contextlib.asynccontextmanager
    async def lease(self, request: LeaseRequest, where: Where) -> AsyncIterator[Lease]:
        self.wanted.append(request)
        self.ran.append((f"begin {request.options.get('batch', '')}", None))
        try:
            yield Lease(f"http://127.0.0.1:{len(self.wanted)}/v1", "m")
        finally:
            self.ran.append((f"end {request.options.get('batch', '')}", None))


def asking(id: str, rows: Stage, model: Stage, **engine: Any) -> Stage:
    config = {"model": "big", "engine": {**SERVED, **engine}, "task": TASK, "seed": 0, "decoding": {"max_tokens": 4}, "data": id}
    return make_stage(id, "generate", "ask", config, {"rows": (rows, None), "model": (model, None)})


def ingest() -> Stage:
    return make_stage("prose/ingest", "ingest", "numbers", {"count": 3, "pad": "", "task": TASK, "seed": 0}, {})


def big() -> Stage:
    return make_stage("big", "build-model", "endpoint", {"name": "big", "revisions": {}, "seed": 0}, {})


def plus(id: str, rows: Stage) -> Stage:
    return make_stage(id, "generate", "plus", {"add": 1, "task": TASK, "decoding": {"max_tokens": 4}, "seed": 0}, {"rows": (rows, None)})


def run(plan: Plan, store: Store, **options: Any) -> tuple[Outcome, Leasing]:
    executor = Leasing(Plugins())
    Served.asked_at = []
    return driver.run(plan, folder=store.home, store=store, executor=executor, plugins=Plugins(), **options), executor


def test_what_is_leased_is_neither_remote_nor_paid_for_and_answers_each_prompt_by_itself() -> None:
    stage, plugins = asking("answers", ingest(), big()), Plugins()
    assert leased(stage, plugins) == {"model": SERVED}
    assert (is_leased(SERVED, plugins), is_remote(SERVED, plugins), answers_each(SERVED, plugins)) == (True, False, True)
    assert not spends(stage, plugins)
    assert contract_of(stage, plugins) is Contract.MAP
    assert [answers_each({"uses": name}, plugins) for name in ("paid", "echo")] == [True, False]


def test_ports_are_those_of_the_models_whatever_the_stage() -> None:
    rows, model = ingest(), big()
    inputs = {"rows": (rows, None), "export": (model, None), "model": (model, None)}
    parity = make_stage("q8/parity", "parity", None, {"engine": SERVED, "model_engine": {"uses": "echo"}}, inputs)
    bundle = make_stage("out", "bundle", "folder", {"engines": {"q8": SERVED}}, {"model.q8": (model, None)})
    engines = {"model.0": SERVED, "model.1": {"uses": "echo"}}
    panel = make_stage("answers", "generate", "ask", {"engines": engines}, {"model.0": (model, None)})
    inputs = {"rows": (rows, None), "m": (model, None), "parity": (parity, None)}
    under_test = make_stage("t/q8/t", "generate", "ask", {"engine": SERVED}, inputs)
    found = [list(leased(stage, Plugins())) for stage in (parity, bundle, panel, under_test)]
    assert found == [["export"], ["model.q8"], ["model.0"], ["m"]]


def test_stages_that_ask_one_model_have_one_server_and_come_together(store: Store) -> None:
    rows, model = ingest(), big()
    first, between, second = asking("answers", rows, model), plus("pairs", rows), asking("test", rows, model)
    after = plus("more", second)
    outcome, executor = run(make_plan(rows, model, first, between, second, after), store)
    assert outcome.error is None
    assert executor.stages() == ["prose/ingest", "big", "begin ", "answers", "test", "end ", "pairs", "more"]
    assert executor.wanted == [LeaseRequest("served", model.key, {})]
    assert Served.asked_at == [("http://127.0.0.1:1/v1", "m")] * 2


def test_a_server_stays_for_a_stage_that_has_to_wait_for_others(store: Store) -> None:
    rows, model = ingest(), big()
    first, between = asking("answers", rows, model), plus("pairs", rows)
    _, executor = run(make_plan(rows, model, first, between, asking("test", between, model)), store)
    assert executor.stages()[2:] == ["begin ", "answers", "pairs", "test", "end "]


def test_other_fields_of_the_engine_are_another_server(store: Store) -> None:
    rows, model = ingest(), big()
    _, executor = run(make_plan(rows, model, asking("a", rows, model, batch=3), asking("b", rows, model, batch=4)), store)
    assert executor.stages()[2:] == ["begin 3", "a", "end 3", "begin 4", "b", "end 4"]


def test_what_is_sealed_asks_no_server_and_keeps_none(store: Store) -> None:
    rows, model = ingest(), big()
    plan = make_plan(rows, model, asking("a", rows, model), asking("b", rows, model))
    run(plan, store, until="b")
    _, executor = run(plan, store)
    assert executor.stages() == ["begin ", "a", "end "], "b is there: the server ends before it"
    _, executor = run(plan, store)
    assert executor.wanted == []


def test_speed_is_measured_beside_no_server(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "ALONE", frozenset({"curate"}))  # a stage kind that runs without models takes the place of `measure`
    rows, model = ingest(), big()
    first = asking("answers", rows, model)
    odd = make_stage("odd", "curate", "odd", {"task": TASK, "seed": 0}, {"rows": (first, None)})
    _, executor = run(make_plan(rows, model, first, odd, asking("test", odd, model)), store)
    order = [stage for stage, part in executor.ran if part in (None, "map")]
    assert order[2:] == ["begin ", "answers", "end ", "odd", "begin ", "test", "end "]


def test_a_stage_that_fails_ends_the_server(store: Store) -> None:
    rows, model = ingest(), big()
    first = asking("answers", rows, model)
    lost = make_stage("pairs", "generate", "plus", {**plus("p", rows).config, "lose": [1]}, {"rows": (first, None)})
    outcome, executor = run(make_plan(rows, model, first, lost, asking("test", lost, model)), store)
    assert outcome.error is not None and "lost 1 of 3 rows" in outcome.error.message
    assert executor.ran[-1] == ("end ", None)


def test_an_executor_without_leases_is_refused_before_anything_starts(store: Store) -> None:
    rows, model = ingest(), big()
    with pytest.raises(UsageError, match="contract 'lease'"):
        driver.run(
            make_plan(rows, model, asking("a", rows, model)),
            folder=store.home,
            store=store,
            executor=InProcess(Plugins()),
            plugins=Plugins(),
        )
