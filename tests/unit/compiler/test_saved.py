"""A saved plan runs as it was made, and is refused where its keys would name something else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.front import compile_file
from distillc.compiler.plan import Plan, from_json, to_json
from distillc.compiler.saved import check_saved
from distillc.spec.errors import UsageError

SPEC = Path(__file__).parent / "grammar.yaml"


@pytest.fixture(scope="module")
def text(shared: Any) -> str:
    return to_json(compile_file(SPEC, shared).plan)


def edited(text: str, edit: Callable[[Any], object]) -> Plan:
    data = json.loads(text)
    edit(data)
    return from_json(json.dumps(data))


def stage(data: Any, id: str) -> Any:
    return next(stage for stage in data["stages"] if stage["id"] == id)


def test_a_plan_as_it_was_made_is_fine(text: str, shared: Any) -> None:
    check_saved(from_json(text), shared)


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: stage(data, "gold")["config"].update(steps=1),  # another result under the key that honest runs trust
        lambda data: stage(data, "gold").update(key="../../elsewhere"),  # a folder that is deleted when the stage is done
        lambda data: data.update(name="../../elsewhere"),  # the folder of the run
        lambda data: stage(data, "q8")["inputs"]["model"].update(stage="gold"),
        lambda data: data["stages"].reverse(),
    ],
    ids=["config", "key", "name", "input", "order"],
)
def test_an_edited_plan_is_refused(text: str, shared: Any, edit: Callable[[Any], object]) -> None:
    with pytest.raises(UsageError) as refused:
        check_saved(edited(text, edit), shared)
    assert "make the plan again" in str(refused.value.help)


def test_a_plan_of_older_plugins_is_refused(text: str, shared: Any, plugins: Any, builtin: Any) -> None:
    """Their results would be sealed under the older ones' keys."""
    entry = next(entry for entry in builtin if (entry.manifest.kind, entry.manifest.name) == ("losses", "forward_kl"))
    newer = plugins((entry.manifest._replace(cache_version=99), shared.config_class("losses", "forward_kl")))
    with pytest.raises(UsageError, match=r"made with losses\.forward_kl 1, here it is 99") as refused:
        check_saved(from_json(text), newer)
    assert refused.value.where == "student"


def test_a_plan_of_another_library_is_refused(text: str, shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distillc.compiler.saved.library_version", lambda name: "0.1" if name == "torch" else None)
    with pytest.raises(UsageError, match=r"here it is"):
        check_saved(from_json(text), shared)


def test_a_plan_of_an_older_stage_kind_is_refused(text: str, shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distillc.compiler.saved.STAGE_VERSIONS", {"split": 2})
    with pytest.raises(UsageError, match=r"made with stages\.split 1, here it is 2"):
        check_saved(from_json(text), shared)
