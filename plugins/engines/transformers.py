"""The engine that runs a Hugging Face folder with transformers, without padding."""

from collections.abc import Iterator, Sequence
from typing import Any

from distillc.plugins.api.artifacts import Completion, Decoding, Model
from distillc.plugins.engines.configs import TransformersConfig
from distillc.runtimes.inference.generation import generate, timed
from distillc.runtimes.inference.loading import Text, load_model, load_text
from distillc.runtimes.inference.precision import resolve
from distillc.runtimes.inference.scoring import log_probs


class TransformersEngine:
    def __init__(self, config: TransformersConfig) -> None:
        self.config = config

    def open(self, model: Model, *, seed: int) -> "Loaded":
        """Raises StageFailed for a folder without weights or tokenizer."""
        return Loaded(load_model(model.folder, resolve(self.config.precision)), load_text(model.folder), seed, self.config.batch)


class Loaded:
    def __init__(self, model: Any, text: Text, seed: int, batch: int) -> None:
        self._model: Any = model
        self._text = text
        self._seed = seed
        self._batch = batch

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        return generate(self._model, self._text, prompts, decoding, seed=self._seed, batch=self._batch)

    def token_ids(self, prompt: str) -> list[int]:
        return self._text.prompt(prompt)

    def timed(self, prompts: Sequence[str], tokens: int) -> Iterator[float]:
        return timed(self._model, self._text, prompts, tokens)

    @property
    def vocabulary(self) -> int:
        return int(self._model.config.vocab_size)

    def answer_ids(self, answer: str) -> list[int]:
        return self._text.answer(answer)

    def log_probs(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Iterator[tuple[int, Any]]:
        return log_probs(self._model, pairs)

    def close(self) -> None:
        self._model = None
