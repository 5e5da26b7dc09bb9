"""Doing nothing: the answer is the input. Every table starts with what that is worth."""

import time
from collections.abc import Iterator, Sequence

from distillc.plugins.api.artifacts import Completion, Decoding, Model
from distillc.plugins.engines.configs import IdentityConfig


class IdentityEngine:
    def __init__(self, config: IdentityConfig) -> None:
        pass

    def open(self, model: Model, *, seed: int) -> "RunningIdentity":
        return RunningIdentity()


class RunningIdentity:
    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        for index, text in enumerate(inputs):
            yield index, Completion(text=text, finish_reason="stop", prompt_tokens=0, completion_tokens=0)

    def token_ids(self, prompt: str) -> list[int]:
        return []

    def timed(self, prompts: Sequence[str], tokens: int) -> Iterator[float]:
        for prompt in prompts:
            started = time.perf_counter()
            list(self.generate([prompt], [prompt], Decoding()))
            yield time.perf_counter() - started

    def close(self) -> None:
        pass
