"""What is measured while training: the loss on validation rows, and the task metric on answers to them."""

from collections.abc import Sequence
from typing import Any

from distillc.plugins.api.trainers import TrainJob
from distillc.runtimes.inference.generation import generate
from distillc.runtimes.inference.loading import Text
from distillc.runtimes.inference.prompts import render
from distillc.runtimes.training.examples import Example
from distillc.runtimes.training.head import negative_log_likelihood
from distillc.spec.errors import StageFailed

BATCH = 64  # answers side by side; their keys and values are small beside the optimizer's state


def evaluate(model: Any, text: Text, job: TrainJob, examples: Sequence[Example]) -> dict[str, float]:
    """`validation_loss` in nats for a token, and the metric that early stopping watches; nothing where there are no validation rows."""
    if not examples:
        return {}
    values = {"validation_loss": negative_log_likelihood(model, examples)}
    stopping = job.settings.early_stopping
    if stopping is not None and stopping.metric != "loss":
        values[stopping.metric] = _metric(model, text, job, stopping.metric)
    return values


def _metric(model: Any, text: Text, job: TrainJob, metric: str) -> float:
    assert job.score is not None, "the train stage brings the metric that early stopping names"
    prompts = [render(job.task, str(row.payload["input"])) for row in job.validation]
    answers = [""] * len(prompts)
    for index, completion in generate(model, text, prompts, job.decoding, seed=job.seed, batch=BATCH):
        answers[index] = completion.text.strip()
    values = job.score(answers)
    if metric not in values:
        raise StageFailed(f"early stopping watches {metric!r}, which is not among {', '.join(values)}", where=job.name)
    return float(values[metric])
