"""Recorded answers: each input is looked up, letter by letter."""

from collections.abc import Iterator, Sequence

from distillc.plugins.api.artifacts import Completion, Decoding, Model
from distillc.plugins.engines.configs import RecordedConfig
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
        self.answers = {
            record["input"]: Completion(text=record["answer"], finish_reason=record["finish_reason"], prompt_tokens=0, completion_tokens=0)
            for _, record in json_lines(model.folder / "answers.jsonl", self.name)
        }

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        missing = [text for text in inputs if text not in self.answers]
        if missing:
            raise StageFailed(
                f"{len(missing)} of {len(inputs)} rows have no answer in `{self.name}`; the first: {missing[0]!r}",
                where=self.name,
                help="record the others too, or ask for fewer rows: `from: NAME.train`, `limit`",
            )
        for index, text in enumerate(inputs):
            yield index, self.answers[text]

    def token_ids(self, prompt: str) -> list[int]:
        return []

    def timed(self, prompts: Sequence[str], tokens: int) -> Iterator[float]:
        raise StageFailed("an answer that was recorded takes no time", where=self.name, help="leave this model out of what is measured")

    def close(self) -> None:
        pass
