"""A tiny random model and rows to train it on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distillc.plugins.api.artifacts import Decoding, Model, Row, Task
from distillc.plugins.api.models import BuildContext
from distillc.plugins.api.trainers import LossTerm, TrainJob, TrainSettings
from distillc.plugins.losses.configs import CrossEntropyConfig
from distillc.plugins.losses.cross_entropy import CrossEntropy
from distillc.plugins.teachers.configs import RandomConfig
from distillc.plugins.teachers.random import Random

TASK = Task(kind="generate", input="text", target="fixed", prompt="Correct: {{ text }}\nFixed:")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("tiny")
    context = BuildContext(folder=folder, name="tiny", cache=folder, seed=7)
    return Model(folder, Random(RandomConfig(layers=2, width=32)).build(folder, context))


@pytest.fixture(scope="session")
def rows() -> list[Row]:
    words = ["the", "value", "of", "this", "array", "is", "returned", "first"]
    return [
        Row(row_id=f"r{i}", payload={"input": " ".join(words[i % 3 :]), "target": " ".join(words[i % 3 : 3 + i % 5])}, source="test")
        for i in range(10)
    ]


@pytest.fixture
def job(tiny: Model, rows: list[Row], tmp_path: Path) -> Callable[..., TrainJob]:
    """Makes jobs in folders of their own name; keywords replace what it would say."""

    def make(name: str = "student", **changes: Any) -> TrainJob:
        out = tmp_path / name / "out"
        out.mkdir(parents=True, exist_ok=True)
        fields: dict[str, Any] = {
            "model": tiny,
            "out": out,
            "work": tmp_path / name / "work",
            "name": name,
            "task": TASK,
            "decoding": Decoding(max_tokens=8),
            "rows": rows,
            "validation": rows[:4],
            "losses": [LossTerm("hard", 1.0, CrossEntropy(CrossEntropyConfig()))],
            "settings": TrainSettings(steps=6, batch=4, learning_rate=1e-2, evaluate_every=3),
            "seed": 0,
            "emit": lambda event, **_: None,
        }
        return TrainJob(**{**fields, **changes})

    return make
