"""Harper as a corrector: its first lint that has a suggestion gets its first suggestion, again until nothing is left to say."""

import time
from collections.abc import Iterator, Sequence

import harper

from distillc.plugins.api.artifacts import Completion, Decoding, Model
from distillc.plugins.engines.configs import HarperConfig


class HarperEngine:
    def __init__(self, config: HarperConfig) -> None:
        self.config = config

    def open(self, model: Model, *, seed: int) -> "RunningHarper":
        return RunningHarper(self.config.rounds)


class RunningHarper:
    def __init__(self, rounds: int) -> None:
        self.linter = harper.Linter()
        self.rounds = rounds

    def corrected(self, text: str) -> str:
        """One correction a round: a suggestion moves the places of all later ones."""
        for _ in range(self.rounds):
            lints = [lint for lint in self.linter.lint(text) if lint.suggestion_count]
            if not lints:
                break
            first = min(lints, key=lambda lint: (lint.span.start, lint.span.end))
            text = self.linter.apply_suggestion(text, first, first.suggestions[0])
        return text

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        for index, text in enumerate(inputs):
            yield index, Completion(text=self.corrected(text), finish_reason="stop", prompt_tokens=0, completion_tokens=0)

    def token_ids(self, prompt: str) -> list[int]:
        return []

    def timed(self, prompts: Sequence[str], tokens: int) -> Iterator[float]:
        for prompt in prompts:
            started = time.perf_counter()
            self.corrected(prompt)
            yield time.perf_counter() - started

    def close(self) -> None:
        pass
