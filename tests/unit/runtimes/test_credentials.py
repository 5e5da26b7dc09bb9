"""A key that is not there is found before anything begins, and asked for by nobody who needs none."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.plan import Plan
from distillc.runtimes import driver
from distillc.runtimes.driver import Outcome
from distillc.runtimes.store import Store
from distillc.spec.errors import UsageError
from distillc.spec.fields import SecretRef
from tests.unit.runtimes.small_plan import TASK, FakePlugins, InProcess, PaidConfig, make_plan, make_stage


class KeyedConfig(PaidConfig):
    api_key: SecretRef | None = None


class KeyedPlugins(FakePlugins):
    table = {**FakePlugins.table, ("engines", "paid"): (KeyedConfig, FakePlugins.table["engines", "paid"][1])}  # noqa: RUF012


@pytest.fixture
def plugins() -> KeyedPlugins:
    return KeyedPlugins()


def asking(reference: str, *, pad: str = "", last: str | None = None) -> Plan:
    """prose/ingest -> early, by the API model `big`; and late, which asks it too. All of them are cheap; keys are no part of a key."""
    ingest = make_stage("prose/ingest", "ingest", "numbers", {"count": 3, "pad": pad, "task": TASK, "seed": 0}, {})
    big = make_stage("big", "build-model", "endpoint", {"name": "big", "revisions": {}, "seed": 0}, {})
    stages = [ingest, big]
    for number, (name, key) in enumerate({"early": reference, "late": last or reference}.items()):
        config = {"model": "big", "engine": {"uses": "paid"}, "task": TASK, "seed": number, "decoding": {"max_tokens": 8}}
        made = make_stage(name, "generate", "ask", config, {"rows": (ingest, None), "model": (big, None)})
        stages.append(replace(made, config={**config, "engine": {"uses": "paid", "api_key": key}}, line=10 + number))
    return make_plan(*stages)


def run(plan: Plan, store: Store, executor: InProcess, **options: Any) -> Outcome:
    return driver.run(plan, folder=store.home.parent, store=store, executor=executor, plugins=executor.plugins, **options)


def test_a_variable_that_is_not_set_ends_the_run_before_its_first_stage(
    store: Store, executor: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BIG_KEY", raising=False)
    with pytest.raises(UsageError) as caught:
        run(asking("${env:BIG_KEY}"), store, executor)
    assert caught.value.message == "the environment variable BIG_KEY is not set, and `early` and 1 more stage need it"
    assert (caught.value.where, caught.value.help) == ("distill.yaml:10", "export BIG_KEY=…; nothing has begun")
    assert executor.ran == [] and not (store.home / "runs").exists()


def test_the_place_is_that_of_the_model_whose_entry_says_the_key(
    store: Store, executor: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BIG_KEY", raising=False)
    plan = asking("${env:BIG_KEY}")
    stages = [replace(one, config={**one.config, "api_key": "${env:BIG_KEY}"}, line=4) if one.id == "big" else one for one in plan.stages]
    with pytest.raises(UsageError) as caught:
        run(make_plan(*stages), store, executor)
    assert caught.value.where == "distill.yaml:4"


def test_all_keys_that_are_missing_are_said_at_once(store: Store, executor: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BIG_KEY", raising=False)
    with pytest.raises(UsageError) as caught:
        run(asking("${env:BIG_KEY}", last="${file:keys/late}"), store, executor)
    assert caught.value.message == (
        "the environment variable BIG_KEY is not set, and `early` needs it; "
        "cannot read the secret in keys/late: FileNotFoundError, and `late` needs it"
    )
    assert caught.value.where == "distill.yaml:10"


def test_an_empty_file_is_no_key(store: Store, executor: InProcess) -> None:
    (store.home.parent / "key").write_text("\n", encoding="utf-8")
    with pytest.raises(UsageError, match="the file key is empty"):
        run(asking("${file:key}"), store, executor)
    (store.home.parent / "key").write_text("sk-1\n", encoding="utf-8")
    assert run(asking("${file:key}"), store, executor).exit_code == 0


def test_a_step_that_is_not_asked_for_needs_no_key(store: Store, executor: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIG_KEY", "sk-1")
    monkeypatch.delenv("LATE_KEY", raising=False)
    plan = asking("${env:BIG_KEY}", last="${env:LATE_KEY}")
    assert run(plan, store, executor, until="early").exit_code == 0
    with pytest.raises(UsageError, match=r"LATE_KEY is not set, and `late` needs it"):
        run(plan, store, executor)


def test_what_is_sealed_or_will_be_adopted_needs_no_key(store: Store, executor: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIG_KEY", "sk-1")
    assert run(asking("${env:BIG_KEY}"), store, executor).exit_code == 0
    assert run(asking("${env:BIG_KEY}", pad="another key, the same rows"), store, executor, until="prose").exit_code == 0
    monkeypatch.delenv("BIG_KEY")
    executor.ran.clear()
    assert run(asking("${env:BIG_KEY}"), store, executor).idle
    again = run(asking("${env:BIG_KEY}", pad="another key, the same rows"), store, executor)
    assert (again.states["early"], again.states["late"], executor.ran) == ("adopted", "adopted", [])


@pytest.mark.parametrize("reference", ["cmd", "${keyring:nobody/at-all}"])
def test_no_command_is_run_and_no_keyring_asked_to_find_out(
    store: Store, executor: InProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reference: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "there.is.none")
    if reference == "cmd":
        reference = "${cmd:" + f'{sys.executable} -c \'open("{tmp_path}/was-run", "w")\'' + "}"
    assert run(asking(reference), store, executor).exit_code == 0  # this engine looks its key up nowhere
    assert not (tmp_path / "was-run").exists()
