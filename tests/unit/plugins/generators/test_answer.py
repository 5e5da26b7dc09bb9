"""Answers of a model that is a table: what becomes of each, to train on and to measure."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from distillc.plugins.api.artifacts import Completion, Decoding, Model, ModelInfo, Row, Task
from distillc.plugins.api.metrics import Item
from distillc.plugins.generators.answer import Answer
from distillc.plugins.generators.configs import AnswerConfig

ANSWERS = {
    "whole": Completion(text=" It goes. ", finish_reason="stop", prompt_tokens=9, completion_tokens=3),
    "cut": Completion(text="It goes and", finish_reason="length", prompt_tokens=8, completion_tokens=64),
    "empty": Completion(text=" ", finish_reason="stop", prompt_tokens=7, completion_tokens=1),
    "held back": Completion(text="", finish_reason="content_filter", prompt_tokens=7, completion_tokens=0),
    "declined": Completion(text="I won't.", finish_reason="refusal", prompt_tokens=7, completion_tokens=3),
    "tool": Completion(text="", finish_reason="tool_calls", prompt_tokens=7, completion_tokens=3),
    "thought": Completion(text="", finish_reason="error", prompt_tokens=7, completion_tokens=3, reasoning="Let me"),
}
ROWS = [Row(row_id=name, payload={"input": name, "target": "gold"}, source="s", group="g", split="test") for name in ANSWERS]


class Context:
    task = Task(kind="generate", input="text", target="fixed", prompt="{{ text }}")
    seed = 0
    decoding = Decoding()

    def __init__(self) -> None:
        self.dropped: list[tuple[str, str]] = []

    def ports(self, field: str) -> Sequence[str]:
        return [field]

    def score(self, field: str, items: Sequence[Item]) -> Sequence[float]:
        raise AssertionError("nobody judges a single answer")

    def model(self, port: str) -> Model:
        assert port == "model"
        return Model(Path(), ModelInfo(format="hf", name="big"))

    def answer(self, port: str, rows: Sequence[Row], *, top_logprobs: int = 0) -> Iterator[tuple[Row, Completion]]:
        yield from ((row, ANSWERS[row.row_id]) for row in rows)

    def lose(self, port: str, reason: str) -> None:
        raise AssertionError("what a single model does not answer is dropped")

    def drop(self, row: Row, reason: str) -> None:
        self.dropped.append((row.row_id, reason))


def test_to_train_on_only_whole_answers_are_kept_and_the_others_counted() -> None:
    context = Context()
    (row,) = Answer(AnswerConfig(model="big")).generate(ROWS, context)
    assert dict(row.payload) == {"input": "whole", "target": "It goes."}
    assert (row.teacher, row.finish_reason, row.generator, row.parents) == ("big", "stop", "answer", ("whole",))
    assert dict(row.usage) == {"prompt_tokens": 9, "completion_tokens": 3}
    assert (row.source, row.group, row.split) == ("s", "g", "test")
    assert context.dropped == [
        ("cut", "truncated"),
        ("empty", "empty"),
        ("held back", "filtered"),
        ("declined", "refused"),
        ("tool", "tool call"),
        ("thought", "broken"),
    ]


def test_what_max_tokens_cut_off_may_be_kept_where_there_is_any_of_it() -> None:
    config = AnswerConfig(model="big", truncated="keep")
    assert [row.payload["target"] for row in Answer(config).generate(ROWS[:3], Context())] == ["It goes.", "It goes and"]


def test_under_test_every_row_is_answered_beside_its_gold_and_keeps_its_id() -> None:
    context = Context()
    rows = list(Answer(AnswerConfig(model="big", into="output")).generate(ROWS, context))
    assert [(row.row_id, row.payload["target"], row.payload["output"]) for row in rows] == [
        ("whole", "gold", "It goes."),
        ("cut", "gold", "It goes and"),
        ("empty", "gold", ""),
        ("held back", "gold", ""),
        ("declined", "gold", "I won't."),
        ("tool", "gold", ""),
        ("thought", "gold", ""),
    ]
    assert context.dropped == []
