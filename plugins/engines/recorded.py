"""Recorded answers: each input is looked up, letter by letter."""

from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import replace

from distillc.plugins.api.artifacts import Completion, Decoding, Model, lost
from distillc.plugins.engines.configs import RecordedConfig
from distillc.runtimes.inference.logprobs import trimmed
from distillc.runtimes.records import json_lines
from distillc.spec.errors import StageFailed


class RecordedEngine:
    def __init__(self, config: RecordedConfig) -> None:
        pass

    def open(self, model: Model, *, seed: int) -> "RunningRecorded":
        return RunningRecorded(model)


class RunningRecorded:
    def __init__(self, model: Model) -> None:
        self.name = model.info.name
        self.answers: dict[str, Completion] = {}
        self.told: dict[str, bytes] = {}
        for _, record in json_lines(model.folder / "answers.jsonl", self.name):
            asked = record["input"]
            self.answers[asked] = Completion(
                text=record["answer"], finish_reason=record["finish_reason"], prompt_tokens=0, completion_tokens=0
            )
            if "logprobs" in record:
                self.told[asked] = b64decode(record["logprobs"])

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        missing = [text for text in inputs if text not in self.answers]
        if missing:
            raise StageFailed(
                f"{len(missing)} of {len(inputs)} rows have no answer in `{self.name}`; the first: {missing[0]!r}",
                where=self.name,
                help="record the others too, or ask for fewer rows: `from: NAME.train`, `limit`",
            )
        untold = [text for text in inputs if text not in self.told and not lost(self.answers[text].finish_reason, self.answers[text].text)]
        if decoding.top_logprobs and untold:
            raise StageFailed(
                f"{len(untold)} of {len(inputs)} answers in `{self.name}` come without `logprobs` as OpenAI writes them; "
                f"the first: {untold[0]!r}",
                where=self.name,
                help="record what a choice has there, or take `top_logprobs` out and learn by a hard loss",
            )
        for index, text in enumerate(inputs):
            found = self.answers[text]
            told = trimmed(self.told.get(text, b""), decoding.top_logprobs) if decoding.top_logprobs else b""
            yield index, replace(found, logprobs=told) if told else found

    def token_ids(self, prompt: str) -> list[int]:
        return []

    def timed(self, prompts: Sequence[str], tokens: int) -> Iterator[float]:
        raise StageFailed("an answer that was recorded takes no time", where=self.name, help="leave this model out of what is measured")

    def close(self) -> None:
        pass
