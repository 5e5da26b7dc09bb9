"""Engines run a model: transformers, llama.cpp, onnxruntime-genai, rules."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from distillc.plugins.api.artifacts import Completion, Decoding, Model


class Running(Protocol):
    """A model in memory. One thread uses it; `close` gives the memory back."""

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        """Answers with the index of their prompt, in any order, each as soon as its batch is done.

        `prompts` are rendered; `inputs` are the bare inputs, for engines that are rules. Greedy at temperature 0. The batches
        must be a pure function of `prompts`, so that a run that is resumed computes what an unbroken one does.
        """
        ...

    def token_ids(self, prompt: str) -> list[int]:
        """The ids that the engine itself feeds for a prompt (its own tokenizer, its own BOS rule): what the parity check compares."""
        ...

    def timed(self, prompts: Sequence[str], tokens: int) -> Iterator[float]:
        """Seconds for each prompt, one after the other, prompt included; exactly `tokens` tokens are generated (end of text ignored)."""
        ...

    def close(self) -> None: ...


class Engine(Protocol):
    """Made as `impl(config)`. Rules have no tokens: their `token_ids` is empty and `timed` times one answer."""

    def open(self, model: Model, *, seed: int) -> Running: ...
