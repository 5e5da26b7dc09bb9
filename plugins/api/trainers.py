"""Trainers change a model's weights: here, or on somebody's platform."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from distillc.plugins.api.artifacts import Decoding, Model, ModelInfo, Row, Task
from distillc.plugins.api.losses import Loss


@dataclass(frozen=True, slots=True)
class LossTerm:
    """One entry of `losses:`. `signals` is the folder of captured signals where the loss needs them, read at `temperature`."""

    name: str
    weight: float
    loss: Loss
    signals: Path | None = None
    temperature: float = 1.0


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """Stops after `patience` evaluations without a better `metric` and keeps the best weights. `loss` means validation loss."""

    metric: str = "loss"
    patience: int = 3
    higher_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Lora:
    """Low-rank adapters are trained, and nothing else."""

    r: int
    alpha: float
    dropout: float


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """The section's own keys. `steps` wins over `epochs`; `batch` counts sequences; `evaluate_every` counts steps (None: once an epoch).

    Without `lora` all weights are trained.
    """

    epochs: float = 3.0
    steps: int | None = None
    batch: int = 16
    learning_rate: float = 5e-4
    warmup: float = 0.05
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    evaluate_every: int | None = None
    early_stopping: EarlyStopping | None = None
    lora: Lora | None = None


@dataclass(frozen=True, slots=True)
class TrainJob:
    """All that a trainer gets. `work` survives a kill: checkpoints live there. `emit(kind, **fields)` writes to the event log.
    `folder` is the spec's: secrets in files are relative to it. `usd` and `tokens` are what may still be spent on APIs (None: no limit).

    `score(outputs)` turns the answers to `validation`, in its order, into the values of the early-stopping metric.
    """

    model: Model
    out: Path
    work: Path
    name: str
    task: Task
    decoding: Decoding
    rows: Sequence[Row]
    validation: Sequence[Row]
    losses: Sequence[LossTerm]
    settings: TrainSettings
    seed: int
    emit: Callable[..., None]
    score: Callable[[Sequence[str]], Mapping[str, float]] | None = None
    folder: Path = Path()
    usd: Decimal | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TrainResult:
    """`history`: one plain dict an evaluation (step, tokens, train_loss, each loss term, validation_loss, the metric).

    `bill`: of a training that is paid for, what the ledger should have beside its tokens (`runtimes/ledger.py`).
    """

    info: ModelInfo
    steps: int
    best_step: int
    tokens: int
    stopped: str
    history: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    bill: Mapping[str, Any] = field(default_factory=dict)


class Trainer(Protocol):
    """Made as `impl(config)`. Writes the best weights as a Hugging Face folder into `job.out`; resumes exactly from `job.work`.

    Where the model is somebody else's (its format is `api`), what is written says where the trained one is.
    """

    def train(self, job: TrainJob) -> TrainResult: ...
