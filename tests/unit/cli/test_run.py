"""`run` on the command line: what `--limit` means, which files it takes, what it prints last."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from distillc.cli.main import main
from distillc.cli.run import build_plan, limits, say
from distillc.compiler.plan import Plan, Stage
from distillc.plugins.registry import load
from distillc.runtimes.driver import Outcome
from distillc.runtimes.executors import open_executor
from distillc.runtimes.store import open_store
from distillc.spec.errors import UsageError
from distillc.spec.fields import Config

EMPTY = Plan("n", "s", "", (), {}, {})


def stage(id: str, kind: str, **config: object) -> Stage:
    return Stage(id, kind, None, config, {}, id)


def test_limit_caps_the_first_stage_of_each_generate_step() -> None:
    stages = (
        stage("prose", "ingest"),
        stage("pairs/corrupt", "generate", limit=800),
        stage("pairs", "generate", limit=None),
        stage("few", "generate", limit=3),
        stage("answers", "generate", limit=None),
        stage("test/q8/seen", "generate", limit=None, under_test=True),
    )
    plan = Plan("n", "s", "", stages, {one.id: one.id.split("/")[0] for one in stages}, {})
    assert limits(plan, 20) == ["generate.pairs.limit=20", "generate.few.limit=3", "generate.answers.limit=20"]


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "there is no such file"), ("{}", "this is no plan of this version"), ("nonsense", "this is no plan of this version")],
)
def test_a_saved_plan_that_is_none(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "plan.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=message):
        build_plan(path, None, None, [], None)


def test_a_limit_of_no_rows_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--limit", "0"]) == 2
    assert "--limit must be at least 1, got 0" in capsys.readouterr().err


def test_a_saved_plan_takes_no_options(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a saved plan is run as it is"):
        build_plan(tmp_path / "plan.json", None, "tiny", [], None)


class Executors:
    """A registry with the executor `crew` alone; an instance of it is its config."""

    class Config(Config):
        size: int = 2

    def config_class(self, kind: str, name: str) -> Any:
        assert (kind, name) == ("executors", "crew")
        return self.Config

    def implementation(self, kind: str, name: str) -> Any:
        return lambda config: (name, config.size)


def test_the_plan_says_which_executor_runs_it() -> None:
    plan = Plan("n", "s", "", (), {}, {}, runtime={"uses": "crew", "size": 5})
    opened: Any = open_executor(plan, Executors())
    assert opened == ("crew", 5)
    with pytest.raises(UsageError, match="fields of executor 'crew'"):
        open_executor(replace(plan, runtime={"uses": "crew", "size": "many"}), Executors())
    with pytest.raises(UsageError, match="ray"):
        open_executor(replace(plan, runtime={"uses": "ray"}), load())


def test_the_last_line_is_the_path_and_nothing_else_is_on_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Outcome("r", tmp_path, states={"edge": "kept"}, delivered=[Path("somewhere/dist")], messages=["a message"])
    say(outcome, EMPTY, open_store(str(tmp_path)))
    captured = capsys.readouterr()
    assert captured.out == "somewhere/dist\n"
    assert captured.err == "nothing to do: all 1 stages are done already\na message\n"


def test_an_interrupted_run_prints_no_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    say(Outcome("r", tmp_path, exit_code=130, delivered=[Path("dist")]), EMPTY, open_store(str(tmp_path)))
    assert capsys.readouterr().out == ""
