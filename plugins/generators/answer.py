"""Has a model answer each row: pseudo-labels to train on (`into: target`), or answers under test beside the gold (`into: output`)."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from distillc.plugins.api.artifacts import Row
from distillc.plugins.api.generators import GenerateContext
from distillc.plugins.generators.configs import AnswerConfig

REASONS = {"length": "truncated", "content_filter": "filtered", "refusal": "refused", "tool_calls": "tool call", "error": "broken"}
"""Why an answer is not learned from, by its `finish_reason`."""


class Answer:
    """`teacher` is the model's name in the spec, `usage` its tokens. What is to be trained on must have ended by itself: of the others
    each kind is dropped under a reason of its own (one cut off by `max_tokens` unless the config keeps it), one without text as `empty`.
    Answers under test are kept as they are, under the id of the row they answer, so that every model is measured on the same rows and
    differences pair.
    """

    def __init__(self, config: AnswerConfig) -> None:
        self.config = config

    def generate(self, rows: Sequence[Row], context: GenerateContext) -> Iterator[Row]:
        into = self.config.into
        teacher = context.model("model").info.name
        for row, completion in context.answer("model", rows):
            text = completion.text.strip()
            reason = REASONS.get(completion.finish_reason, "" if text else "empty")
            if reason == "truncated" and text and self.config.truncated == "keep":
                reason = ""
            if into == "target" and reason:
                context.drop(row, reason)
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
