"""A fine-tuning job: what it is at a moment of the server's clock, with its events and checkpoints."""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from distillc.testing.server.job_checks import Data
from distillc.testing.server.script import Jobs

_QUEUED, _RUNNING = 20, 40  # seconds from creation
ENDS = ("succeeded", "failed", "cancelled")


@dataclass(slots=True)
class Job:
    job_id: str
    request: dict[str, object]
    hyperparameters: dict[str, float | bool]
    created: int
    habits: Jobs
    training: Data
    validation: Data | None
    cancelled: float | None = None

    @property
    def wrong(self) -> str:
        return self.training.wrong or (self.validation.wrong if self.validation else "")

    @property
    def epochs(self) -> int:
        return int(self.hyperparameters["n_epochs"])

    @property
    def steps_per_epoch(self) -> int:
        return max(1, math.ceil(self.training.rows / self.hyperparameters["batch_size"]))

    def ends_at(self) -> float:
        """When the job ends and is no longer billed."""
        if self.wrong:
            end = float(self.created + _QUEUED)
        elif self.habits.ends == "failed":
            end = self.created + _RUNNING + (self.habits.seconds - _RUNNING) / 2
        else:
            end = math.inf if self.habits.ends == "never" else self.created + self.habits.seconds
        return end if self.cancelled is None else min(end, self.cancelled)

    def status(self, now: float) -> str:
        if now >= self.ends_at():
            if self.cancelled is not None and self.cancelled <= self.ends_at():
                return "cancelled"
            return "failed" if self.wrong else self.habits.ends
        age = now - self.created
        return "validating_files" if age < _QUEUED else "queued" if age < _RUNNING else "running"

    def epoch_end(self, epoch: int) -> float:
        return self.created + _RUNNING + (self.habits.seconds - _RUNNING) * epoch / self.epochs

    def epochs_done(self, now: float) -> int:
        """Full epochs: what is billed, and how many checkpoints there are."""
        until = min(now, self.ends_at())
        return 0 if self.wrong else sum(self.epoch_end(epoch) <= until + 1e-6 for epoch in range(1, self.epochs + 1))

    def losses(self, epoch: int) -> tuple[float, float]:
        return self.habits.losses[min(epoch, len(self.habits.losses)) - 1]

    def error(self, status: str) -> dict[str, object] | None:
        if status != "failed":
            return None
        if self.wrong:
            param = "training_file" if self.training.wrong else "validation_file"
            return {"code": f"invalid_{param}", "message": self.wrong, "param": param}
        return {"code": "training_failed", "message": "The server was told to fail.", "param": None}

    def metrics(self, epoch: int) -> dict[str, float | None]:
        train, valid = self.losses(epoch)
        held_out = valid if self.validation else None
        return {"step": epoch * self.steps_per_epoch, "train_loss": train, "valid_loss": held_out, "full_valid_loss": held_out}

    def events(self, now: float) -> list[dict[str, object]]:
        """Oldest first. The sentences are those that the cookbook's second job recorded."""
        texts: list[tuple[float, str, str, dict[str, float | None] | None]] = [(self.created, "info", "Job is submitted", None)]
        end, status = self.ends_at(), self.status(now)
        if not self.wrong:
            names = ["validation", "training"] if self.validation else ["training"]
            texts += [(self.created + _QUEUED, "info", f"Dataset '{name}' processed successfully", None) for name in names]
        for epoch in range(1, self.epochs_done(now) + 1):
            metrics = self.metrics(epoch)
            texts.append((self.epoch_end(epoch), "info", f"Step {metrics['step']}: training loss={metrics['train_loss']}", metrics))
        if status in ENDS:
            words = {"succeeded": "Training completed successfully", "cancelled": "Job was cancelled", "failed": "Training failed"}
            texts.append((end, "error" if status == "failed" else "info", words[status], None))
        return [
            {
                "id": f"ftevent-{self.job_id[-12:]}-{number:04d}",
                "object": "fine_tuning.job.event",
                "created_at": int(at),
                "level": level,
                "message": message,
                "type": "metrics" if data else "message",
                "data": data,
            }
            for number, (at, level, message, data) in enumerate(texts)
            if at <= now
        ]


def adapter(job: Job) -> Mapping[str, bytes]:
    """The files of a checkpoint: an adapter of one matrix, in safetensors by hand (8 bytes of length, a JSON header, the numbers)."""
    rank = int(job.hyperparameters.get("lora_r", 8))
    config = {
        "peft_type": "LORA",
        "base_model_name_or_path": job.request["model"],
        "r": rank,
        "lora_alpha": job.hyperparameters.get("lora_alpha", 8),
    }
    shape = [rank, 8]
    size = 4 * rank * 8
    header = json.dumps({"lora_A.weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}}).encode()
    weights = struct.pack("<Q", len(header)) + header + bytes(size)
    return {"adapter_config.json": json.dumps(config).encode(), "adapter_model.safetensors": weights}
