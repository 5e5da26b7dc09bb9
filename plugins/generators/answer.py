"""Has a model answer each row: pseudo-labels to train on (`into: target`), or answers under test beside the gold (`into: output`)."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from distillc.plugins.api.artifacts import Row
from distillc.plugins.api.generators import GenerateContext
from distillc.plugins.generators.configs import AnswerConfig


class Answer:
    """`teacher` is the model's name in the spec, `usage` its tokens. What is to be trained on must be whole: an answer cut off by
    `max_tokens` is dropped as `truncated` (unless the config keeps it), one without text as `empty`. Answers under test are kept as
    they are, under the id of the row they answer, so that every model is measured on the same rows and differences pair.
    """

    def __init__(self, config: AnswerConfig) -> None:
        self.config = config

    def generate(self, rows: Sequence[Row], context: GenerateContext) -> Iterator[Row]:
        into = self.config.into
        teacher = context.model("model").info.name
        for row, completion in context.answer("model", rows):
            text = completion.text.strip()
            if into == "target" and completion.finish_reason == "length" and self.config.truncated == "drop":
                context.drop(row, "truncated")
                continue
            if into == "target" and not text:
                context.drop(row, "empty")
                continue
            name = hashlib.blake2b(f"answer\0{into}\0{teacher}\0{row.row_id}".encode(), digest_size=10).hexdigest()
            yield replace(
                row,
                row_id=row.row_id if into == "output" else name,
                payload={**row.payload, into: text},
                generator="answer",
                teacher=teacher,
                finish_reason=completion.finish_reason,
                usage={"prompt_tokens": completion.prompt_tokens, "completion_tokens": completion.completion_tokens},
                parents=(row.row_id,),
            )
