"""Training on this machine: loads the model, says what moves, runs the loop, writes the best weights as a Hugging Face folder."""

import shutil
from dataclasses import replace
from typing import Any

from safetensors.torch import save_file

from distillc.plugins.api.trainers import TrainJob, TrainResult
from distillc.plugins.trainers.configs import LocalConfig
from distillc.runtimes.inference.loading import load_model, load_text
from distillc.runtimes.inference.precision import resolve
from distillc.runtimes.training.loop import Loop
from distillc.spec.errors import StageFailed


class Local:
    def __init__(self, config: LocalConfig) -> None:
        self.config = config

    def train(self, job: TrainJob) -> TrainResult:
        """Raises StageFailed for signals that do not fit the model, for a loss that is no longer a number, for nothing to train on."""
        folder = job.model.folder
        model = load_model(folder)
        self._freeze(model, job.name)
        precision = resolve(self.config.precision)
        loop = Loop(job, model, load_text(folder), checkpoint_seconds=self.config.checkpoint_seconds, precision=precision)
        _check_signals(loop, model)
        progress = loop.run()
        for path in sorted(folder.iterdir()):
            if path.suffix in (".json", ".jinja", ".txt", ".model") and path.name not in ("distill.json", "model.safetensors.index.json"):
                shutil.copyfile(path, job.out / path.name)
        weights = {name: parameter.detach().contiguous() for name, parameter in model.named_parameters()}
        save_file(weights, job.out / "model.safetensors", metadata={"format": "pt"})
        return TrainResult(
            info=replace(job.model.info, name=job.name, base=job.model.info.name, precision="float32"),
            steps=progress.step,
            best_step=progress.best_step if progress.best_step is not None else progress.step,
            tokens=progress.tokens,
            stopped=progress.stopped,
            history=tuple(progress.history),
        )

    def _freeze(self, model: Any, name: str) -> None:
        layers = model.base_model.layers
        if self.config.freeze_layers >= len(layers):
            raise StageFailed(
                f"`freeze_layers` is {self.config.freeze_layers} and the model has {len(layers)} layers", where=name, help="freeze fewer"
            )
        model.requires_grad_(True)
        # A gradient for the table below frozen layers would have to pass all of them, which is what freezing them is to save.
        if "embeddings" in self.config.freeze or self.config.freeze_layers:
            model.get_input_embeddings().requires_grad_(False)
        for layer in layers[: self.config.freeze_layers]:
            layer.requires_grad_(False)


def _check_signals(loop: Loop, model: Any) -> None:
    vocabulary = int(model.config.vocab_size)
    for term in loop.job.losses:
        signals = loop.signals.get(term.name)
        if signals is None:
            continue
        gathered = signals.header.gathered  # of its vocabulary only what was told is read; rows of a table that no token has do no harm
        if signals.header.vocabulary > vocabulary or (signals.header.vocabulary < vocabulary and not gathered):
            raise StageFailed(
                f"loss {term.name!r} reads signals over {signals.header.vocabulary} ids; the student has {vocabulary}",
                where=loop.job.name,
                help="teacher and student must share their tokenizer",
            )
        needed = float(getattr(getattr(term.loss, "config", None), "min_mass", 0.0))
        mass = signals.mass(term.temperature)
        if mass < needed:
            raise StageFailed(
                f"the captured ids hold {mass:.3f} of the teacher's mass at temperature {term.temperature}; "
                f"loss {term.name!r} needs {needed}",
                where=loop.job.name,
                help="lower the temperature or `min_mass`, or capture more ids",
            )
