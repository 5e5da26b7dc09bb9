"""Training on somebody's platform: rows as conversations, the keys of a train step as the API's hyperparameters, the best checkpoint back.

All that the language knows is said in each request, so that no default of the other side decides: an API that tunes all weights unless
`lora` is asked for is told so either way.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from distillc.plugins.api.artifacts import Row
from distillc.plugins.api.trainers import TrainJob, TrainResult
from distillc.plugins.trainers.configs import NebiusFineTuningConfig, OpenAIFineTuningConfig
from distillc.runtimes.inference.prompts import render
from distillc.runtimes.remote import fine_tuning
from distillc.runtimes.remote.chat import messages
from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.endpoint import Endpoint, read_endpoint
from distillc.runtimes.remote.jobs import CANCELLED, READ, TOKEN, Job, delete_sent, intended
from distillc.runtimes.remote.pacing import Pace
from distillc.spec.errors import BudgetReached, StageFailed
from distillc.spec.money import cost, dollars, exact
from distillc.spec.secret import name_in

RECORD = "fine_tuning.json"
"""Beside `endpoint.json`: the job, its checkpoints and the files of the best one. Who serves it asks for `source`."""
WEIGHTS = "weights"


class _FineTuning(ABC):
    dialects: tuple[str, ...]

    def __init__(self, config: OpenAIFineTuningConfig | NebiusFineTuningConfig) -> None:
        self.config = config

    @abstractmethod
    def body(self, job: TrainJob, endpoint: Endpoint) -> dict[str, Any]:
        """The provider's part of the request."""

    def train(self, job: TrainJob) -> TrainResult:
        """Raises StageFailed where the address must not be called, the key is refused, or the job does not end well."""
        endpoint = read_endpoint(job.model.folder)
        if endpoint.dialect not in self.dialects:
            raise StageFailed(f"{endpoint} speaks {endpoint.dialect}, and this trainer {' or '.join(self.dialects)}", where=job.name)
        tuned = asyncio.run(self._tuned(job, endpoint))
        replace(endpoint, name=tuned.best.name or tuned.source).write(job.out)
        return TrainResult(
            info=replace(job.model.info, name=job.name, base=job.model.info.name),
            steps=tuned.steps,
            best_step=tuned.best.step,
            tokens=tuned.trained_tokens,
            stopped="epochs",
            history=tuple(_entry(one, tuned) for one in tuned.checkpoints if one.id),
            bill=self._bill(tuned.job),
        )

    async def _tuned(self, job: TrainJob, endpoint: Endpoint) -> fine_tuning.Tuned:
        quiet = self.config.retention == "none"
        client = Client.to(endpoint, self.config.api_key, job.folder, pace=Pace(1), timeout=self.config.timeout, quiet=quiet)
        try:
            while (tuned := await self._ended(client, job, endpoint)) is None:
                pass
            weights = await fine_tuning.fetch(client, tuned.best, job.out / WEIGHTS)
            intent = self._intent(job, endpoint)
            await self._forget(client, intent)
            intent.about[READ] = True
            intent.save()
        finally:
            await client.close()
        record = {
            "job": tuned.job,
            "source": tuned.source,
            "base": self.config.base or endpoint.name,
            "best": tuned.best.id,
            "files": weights,
            "checkpoints": [asdict(one) for one in tuned.checkpoints],
        }
        (job.out / RECORD).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return tuned

    async def _ended(self, client: Client, job: TrainJob, endpoint: Endpoint) -> fine_tuning.Tuned | None:
        """None where an earlier try's job was cancelled from here: then the next one is another."""
        intent = self._intent(job, endpoint)
        if intent.request is None:
            self._refuse_overspending(job, endpoint)
        request, files = self._request(job, endpoint, intent), _files(job, endpoint, intent)
        try:
            return await fine_tuning.tune(
                client, intent, request, files, emit=job.emit, look=self.config.poll, patience=self.config.patience
            )
        except fine_tuning.JobFailed as failed:
            job.emit("trained", tokens=failed.trained_tokens, steps=0, best_step=0, stopped="failed", **self._bill(intent.id))
            await self._forget(client, intent)
            intent.file.unlink()
            if failed.cancelled and intent.about.get(CANCELLED):
                return None
            raise

    def _intent(self, job: TrainJob, endpoint: Endpoint) -> Job:
        return intended(
            job.work / "tuning.job.json",
            place=fine_tuning.PLACE,
            base_url=endpoint.base_url,
            api_key=self.config.api_key,
            about={"folder": str(job.folder), "retention": self.config.retention},
        )

    def _request(self, job: TrainJob, endpoint: Endpoint, intent: Job) -> dict[str, Any]:
        return {
            "model": self.config.base or endpoint.name,
            **self.body(job, endpoint),
            "seed": job.seed,
            "suffix": fine_tuning.suffix(job.name, intent.token),
            "metadata": {TOKEN: intent.token},
        }

    def _refuse_overspending(self, job: TrainJob, endpoint: Endpoint) -> None:
        """Raises BudgetReached for a job that could take more than may be spent. A token has a byte at least, and rows are cut nowhere."""
        if job.usd is None and job.tokens is None:
            return
        sizes = (len(fine_tuning.example_line(talk)) for talk in _conversations(job, endpoint, job.rows))
        tokens, price = sum(sizes) * int(job.settings.epochs), self._price()
        if job.tokens is not None and tokens > job.tokens:
            raise _reached(job, f"be trained on {tokens:,} tokens, and {job.tokens:,} are left", "tokens")
        if job.usd is not None and price is not None and (most := cost(tokens, price)) > job.usd:
            raise _reached(job, f"cost {dollars(most)}, and {dollars(job.usd)} may be spent", "usd")

    def _price(self) -> Decimal | None:
        """Of a million trained tokens."""
        price = self.config.price
        return None if price is None or price.trained is None else exact(price.trained)

    def _bill(self, job_id: str | None) -> dict[str, Any]:
        price, key = self._price(), self.config.api_key
        return {"job": job_id, "price": price and str(price), "key_name": key and name_in(key)}

    async def _forget(self, client: Client, intent: Job) -> None:
        if self.config.retention == "none":
            await delete_sent(client, intent)


class OpenAIFineTuning(_FineTuning):
    """The method is said by name: hyperparameters of their own are OpenAI's older way, which its copies have."""

    dialects = ("openai", "generic")
    config: OpenAIFineTuningConfig

    def body(self, job: TrainJob, endpoint: Endpoint) -> dict[str, Any]:
        hyperparameters: dict[str, Any] = {"n_epochs": int(job.settings.epochs), "batch_size": job.settings.batch}
        if self.config.learning_rate_multiplier is not None:
            hyperparameters["learning_rate_multiplier"] = self.config.learning_rate_multiplier
        if endpoint.dialect == "generic":
            return {"hyperparameters": hyperparameters}
        return {"method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}}


class NebiusFineTuning(_FineTuning):
    dialects = ("nebius",)
    config: NebiusFineTuningConfig

    def body(self, job: TrainJob, endpoint: Endpoint) -> dict[str, Any]:
        settings, lora = job.settings, job.settings.lora
        adapters = {"lora_r": lora.r, "lora_alpha": lora.alpha, "lora_dropout": lora.dropout} if lora else {}
        return {
            "hyperparameters": {
                "n_epochs": int(settings.epochs),
                "batch_size": settings.batch,
                "learning_rate": settings.learning_rate,
                "warmup_ratio": settings.warmup,
                "weight_decay": settings.weight_decay,
                "max_grad_norm": settings.max_grad_norm,
                "packing": self.config.packing,
                "context_length": self.config.context_length,
                "lora": lora is not None,
                **adapters,
            }
        }


def _reached(job: TrainJob, what: str, limit: str) -> BudgetReached:
    return BudgetReached(
        f"the budget is reached: the job may {what}",
        help=f"raise `budget.{limit}` and run again, or train on fewer rows or epochs",
        where=job.name,
    )


def _files(job: TrainJob, endpoint: Endpoint, intent: Job) -> dict[str, Any]:
    """The rows on this disk, by their names in the request. Once there is a job they are needed no more."""
    found = {"training_file": job.rows, **({"validation_file": job.validation} if job.validation else {})}
    paths = {name: job.work / f"{name}.jsonl" for name in found}
    if intent.id is None:
        for name, rows in found.items():
            fine_tuning.write_examples(paths[name], _conversations(job, endpoint, rows))
    return paths


def _conversations(job: TrainJob, endpoint: Endpoint, rows: Sequence[Row]) -> Iterator[list[Mapping[str, str]]]:
    """What the model will be asked, word by word as it will be asked it, and the answer that is wanted."""
    for row in rows:
        asked = messages(endpoint, render(job.task, str(row.payload["input"])))
        yield [*asked, {"role": "assistant", "content": str(row.payload["target"]).strip()}]


def _entry(checkpoint: fine_tuning.Checkpoint, tuned: fine_tuning.Tuned) -> dict[str, Any]:
    """Of the history; tokens are spread evenly over the steps, for platforms tell their sum alone."""
    losses = {"train_loss": checkpoint.train_loss, "validation_loss": checkpoint.validation_loss}
    tokens = round(tuned.trained_tokens * checkpoint.step / tuned.steps) if tuned.steps else 0
    return {"step": checkpoint.step, "tokens": tokens, **{name: loss for name, loss in losses.items() if loss is not None}}
