"""The training loop: AdamW on the mean loss over a batch's answer tokens, resumed exactly from its checkpoints.

What a step does depends on its number alone (its rows, its learning rate) and on the state before it (weights, moments), all of
which a checkpoint holds: a run that is killed and resumed ends with the bytes of one that was not. The model stays in evaluation
mode, so that no dropout needs a random state.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from distillc.plugins.api.losses import TeacherLogProbs
from distillc.plugins.api.trainers import TrainJob
from distillc.runtimes.inference.loading import Text
from distillc.runtimes.inference.precision import Precision
from distillc.runtimes.inference.scoring import Batch
from distillc.runtimes.inference.token_bytes import token_bytes
from distillc.runtimes.training import checkpoints
from distillc.runtimes.training.evaluation import evaluate
from distillc.runtimes.training.examples import Example, Order, example
from distillc.runtimes.training.gathered import check_spelled
from distillc.runtimes.training.head import backward
from distillc.runtimes.training.schedule import learning_rate, total_steps
from distillc.runtimes.training.signals import Signals
from distillc.spec.errors import StageFailed

_REPORT_EVERY = 5  # steps


@dataclass
class Progress:
    """What changes from step to step beside weights and moments; plain JSON, part of each checkpoint."""

    step: int = 0
    tokens: int = 0
    best_step: int | None = None
    best_value: float | None = None
    stale: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    summed: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    stopped: str = ""


class Loop:
    """One training. `run` returns where it ended; the model then holds the best weights (the last, without early stopping)."""

    def __init__(self, job: TrainJob, model: Any, text: Text, *, checkpoint_seconds: float, precision: Precision = "float32") -> None:
        """Parameters that shall not move come with `requires_grad` off. Raises StageFailed for a job that cannot be trained."""
        if not job.rows:
            raise StageFailed("there are no rows to train on", where=job.name, help="see which step dropped them: `distillc rows`")
        if job.settings.early_stopping is not None and not job.validation:
            raise StageFailed(
                "early stopping has no validation rows", where=job.name, help="set `validation:`, or take out `early_stopping`"
            )
        self.job, self.model, self.text = job, model, text
        self.settings = job.settings
        self.checkpoint_seconds = checkpoint_seconds
        self.precision: Precision = precision
        self.signals = {term.name: Signals(term.signals) for term in job.losses if term.signals is not None}
        self.examples = self._examples()
        self.validation = [example(row, job.task, text) for row in job.validation]
        self.order = Order(len(self.examples), self.settings.batch, job.seed)
        self.total = total_steps(self.settings, self.order.steps_per_epoch)
        self.every = self.settings.evaluate_every or self.order.steps_per_epoch
        self.trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        matrices = [p for p in self.trained.values() if p.dim() >= 2]
        vectors = [p for p in self.trained.values() if p.dim() < 2]
        groups = [{"params": matrices, "weight_decay": self.settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=self.settings.learning_rate, betas=(0.9, 0.95), fused=True)
        self.progress = Progress()

    def _examples(self) -> list[Example]:
        """Rows in the student's ids. Where a teacher wrote the answer in tokens that are known, they are trained on as they are."""
        job, text = self.job, self.text
        found = [example(row, job.task, text) for row in job.rows]
        for signals in self.signals.values():
            if signals.header.gathered:
                pieces = token_bytes(job.model.folder)
                found = [replace(one, answer=(*signals.targets(one.row_id), text.ends[0])) for one in found]
                for row, one in zip(job.rows, found, strict=True):
                    check_spelled(pieces.spelled(one.answer[:-1]), row)
        return found

    def run(self) -> Progress:
        self._resume()
        progress = self.progress
        saved = reported = time.monotonic()
        tokens_then = progress.tokens
        while progress.step < self.total and not progress.stopped:
            losses = self._step(progress.step)
            progress.step += 1
            if progress.step % _REPORT_EVERY == 0 or progress.step == self.total:
                now = time.monotonic()
                rate = (progress.tokens - tokens_then) / max(now - reported, 1e-9)
                reported, tokens_then = now, progress.tokens
                self.job.emit(
                    "train step", step=progress.step, steps=self.total, tokens=progress.tokens, **losses, tokens_per_second=round(rate, 1)
                )
            if progress.step % self.every == 0 or progress.step == self.total:
                self._evaluate()
                reported = time.monotonic()
            if time.monotonic() - saved >= self.checkpoint_seconds and progress.step < self.total:
                self._checkpoint()
                saved = time.monotonic()
        progress.stopped = progress.stopped or "steps"
        if progress.best_step is not None:
            self._load(checkpoints.load_best(self.job.work, progress.best_step))
        return progress

    def _step(self, number: int) -> dict[str, float]:
        examples = [self.examples[place] for place in self.order.step(number)]
        batch = Batch.of([example.pair for example in examples])
        losses = backward(self.model, batch, self.job.losses, self._teachers(examples), self.precision)
        losses = {"train_loss": sum(losses[term.name] * term.weight for term in self.job.losses), **losses}
        norm = float(torch.nn.utils.clip_grad_norm_(self.trained.values(), self.settings.max_grad_norm))
        if not math.isfinite(losses["train_loss"]) or not math.isfinite(norm):
            told = ", ".join(f"{name} {value:g}" for name, value in losses.items())
            raise StageFailed(
                f"the loss is no longer a number at step {number + 1} ({told}; gradient norm {norm:g})",
                where=self.job.name,
                help=f"lower `learning_rate` ({self.settings.learning_rate:g}) or raise `warmup` ({self.settings.warmup:g})",
            )
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.settings, number, self.total)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.progress.tokens += len(batch.ids)
        for name, value in losses.items():
            self.progress.sums[name] = self.progress.sums.get(name, 0.0) + value
        self.progress.summed += 1
        return {name: round(value, 5) for name, value in losses.items()}

    def _teachers(self, examples: list[Example]) -> Mapping[str, TeacherLogProbs]:
        return {
            term.name: self.signals[term.name].read(examples, term.temperature) for term in self.job.losses if term.name in self.signals
        }

    def _evaluate(self) -> None:
        progress, stopping = self.progress, self.settings.early_stopping
        means = {name: value / progress.summed for name, value in progress.sums.items()}
        progress.sums, progress.summed = {}, 0
        values = evaluate(self.model, self.text, self.job, self.validation)
        entry = {"step": progress.step, "tokens": progress.tokens, **means, **values}
        progress.history.append(entry)
        self.job.emit("train evaluated", steps=self.total, **entry)
        if stopping is None:
            return
        value = values["validation_loss" if stopping.metric == "loss" else stopping.metric]
        sign = 1 if stopping.higher_is_better and stopping.metric != "loss" else -1
        if progress.best_value is None or sign * value > sign * progress.best_value:
            progress.best_step, progress.best_value, progress.stale = progress.step, value, 0
            checkpoints.save_best(self.job.work, progress.step, self._weights())
        else:
            progress.stale += 1
            if progress.stale >= stopping.patience:
                progress.stopped = f"no better {stopping.metric} in {stopping.patience} evaluations"

    def _weights(self) -> dict[str, Tensor]:
        return {name: parameter.detach() for name, parameter in self.trained.items()}

    def _load(self, weights: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self.trained.items():
                parameter.copy_(weights[name])

    def _checkpoint(self) -> None:
        progress = self.progress
        moments = {
            f"{name}.{key}": value for name, parameter in self.trained.items() for key, value in self.optimizer.state[parameter].items()
        }
        state = {"progress": {name: getattr(progress, name) for name in Progress.__dataclass_fields__}, "total": self.total}
        checkpoints.save(self.job.work, checkpoints.Checkpoint(progress.step, self._weights(), moments, state))
        checkpoints.drop_best_but(self.job.work, progress.best_step)
        self.job.emit("train checkpoint", step=progress.step)

    def _resume(self) -> None:
        self.job.work.mkdir(parents=True, exist_ok=True)
        found = checkpoints.latest(self.job.work)
        if found is None:
            return
        self._load(found.weights)
        for name, parameter in self.trained.items():
            self.optimizer.state[parameter] = {key: found.optimizer[f"{name}.{key}"] for key in ("step", "exp_avg", "exp_avg_sq")}
        self.progress = Progress(**found.state["progress"])
        self.job.emit("train resumed", step=self.progress.step)
