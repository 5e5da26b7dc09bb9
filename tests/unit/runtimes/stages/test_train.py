"""The train stage: what it gathers for the trainer, and what it refuses."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distillc.compiler.plan import Input, Stage
from distillc.plugins.api.artifacts import ModelInfo, Row
from distillc.plugins.api.metrics import Item
from distillc.plugins.api.trainers import EarlyStopping, TrainJob, TrainResult
from distillc.runtimes.stages import train
from distillc.runtimes.stages.context import Artifact, StageContext
from distillc.runtimes.store.rows import write_artifact
from distillc.spec.errors import StageFailed
from distillc.spec.fields import Config
from tests.unit.runtimes.small_plan import TASK, FakePlugins


class NoConfig(Config):
    pass


class LossConfig(Config):
    temperature: float = 1.0


@dataclass
class Named:
    config: Any


class Exact:
    """Exact match: one number an item; its value is the mean."""

    def __init__(self, config: Any) -> None: ...

    def statistics(self, items: Sequence[Item]) -> Any:
        return np.array([[float(item.output == item.references[0])] for item in items])

    def aggregate(self, totals: Any, n: Any) -> Mapping[str, Any]:
        return {"rate": totals[..., 0] / n}


class Recorder:
    """A trainer that keeps its job and ends with the history that a test gave it."""

    job: TrainJob
    history: tuple[dict[str, Any], ...] = ({"step": 2, "train_loss": 0.5},)

    def __init__(self, config: Any) -> None: ...

    def train(self, job: TrainJob) -> TrainResult:
        Recorder.job = job
        (job.out / "model.safetensors").write_bytes(b"w")
        return TrainResult(ModelInfo(format="hf", name="?"), steps=2, best_step=1, tokens=30, stopped="steps", history=Recorder.history)


class Plugins(FakePlugins):
    table = {  # noqa: RUF012 - as its parent's
        ("trainers", "recorder"): (NoConfig, Recorder),
        ("losses", "hard"): (LossConfig, Named),
        ("losses", "soft"): (LossConfig, Named),
        ("metrics", "exact"): (NoConfig, Exact),
    }


def rows(folder: Path, targets: Sequence[str | None]) -> Artifact:
    folder.mkdir()
    payloads = [{"input": f"in {i}", **({} if target is None else {"target": target})} for i, target in enumerate(targets)]
    write_artifact(folder, [Row(row_id=str(i), payload=payload, source="s") for i, payload in enumerate(payloads)])
    return Artifact(folder)


def context(folder: Path, targets: Sequence[str | None] = ("a", "b"), **config: Any) -> StageContext:
    losses = {
        "hard": {"uses": "hard", "temperature": 1.0, "weight": 0.25, "teacher": None},
        "soft": {"uses": "soft", "temperature": 2.0, "weight": 0.75, "teacher": "big"},
    }
    stopping = {"uses": "exact", "metric": "exact_rate", "value": "rate", "patience": 2, "higher_is_better": True}
    config = {"name": "student", "task": TASK, "seed": 3, "losses": losses, "steps": 2, "batch": 4, "early_stopping": stopping, **config}
    artifacts = {
        "model": Artifact(folder, {"info": {"format": "hf", "name": "small"}}),
        "rows": rows(folder / "rows", targets),
        "validation": rows(folder / "validation", ["x", "y", "z"]),
        "signals.soft": Artifact(folder / "signals"),
    }
    stage = Stage("student", "train", "recorder", config, {port: Input(port) for port in artifacts}, "k")
    (folder / "out").mkdir()
    return StageContext(stage=stage, folder=folder, out=folder / "out", work=folder, artifacts=artifacts, plugins=Plugins())


def test_the_trainer_gets_rows_losses_signals_and_settings(tmp_path: Path) -> None:
    meta = train.run(context(tmp_path))
    job = Recorder.job
    assert [row.payload["target"] for row in job.rows] == ["a", "b"]
    assert [(term.name, term.weight, term.temperature, term.signals) for term in job.losses] == [
        ("hard", 0.25, 1.0, None),
        ("soft", 0.75, 2.0, tmp_path / "signals"),
    ]
    assert (job.settings.steps, job.settings.batch, job.seed, job.model.info.name) == (2, 4, 3, "small")
    assert job.settings.early_stopping == EarlyStopping("exact_rate", 2, True)
    assert (meta["info"]["name"], meta["steps"], meta["best_step"], meta["tokens"]) == ("student", 2, 1, 30)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["distill.json", "model.safetensors"]


def test_the_metric_scores_answers_under_the_name_that_a_spec_gives_it(tmp_path: Path) -> None:
    train.run(context(tmp_path))
    assert Recorder.job.score is not None
    assert Recorder.job.score(["x", "wrong", "z"]) == {"exact_rate": pytest.approx(2 / 3)}


def test_stopping_on_the_loss_needs_no_answers(tmp_path: Path) -> None:
    train.run(context(tmp_path, early_stopping={"uses": None, "metric": "loss", "value": "loss", "patience": 1}))
    assert Recorder.job.score is None
    assert Recorder.job.settings.early_stopping == EarlyStopping("loss", 1, False)


@pytest.mark.parametrize(
    ("targets", "message"),
    [([], "there are no training rows: the data set is empty"), (["a", None, ""], "2 of 3 training rows have no target")],
)
def test_rows_that_nobody_can_learn_from_are_refused(tmp_path: Path, targets: list[str | None], message: str) -> None:
    with pytest.raises(StageFailed, match=message):
        train.run(context(tmp_path, targets))


def test_a_loss_that_turned_nan_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recorder, "history", ({"step": 1, "train_loss": 0.5}, {"step": 2, "train_loss": math.nan}))
    with pytest.raises(StageFailed, match="train_loss is nan at step 2") as caught:
        train.run(context(tmp_path))
    assert "learning_rate" in str(caught.value.help)
