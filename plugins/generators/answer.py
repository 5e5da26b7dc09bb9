"""Has models answer each row: pseudo-labels to train on (`into: target`), or answers under test beside the gold (`into: output`).

Several models are a panel: `keep` says which of its answers make a row. An answer that is not to be learned from is out of the choice,
and drops its row only where too little is left to choose from.
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from distillc.plugins.api.artifacts import Completion, Row, lost
from distillc.plugins.api.generators import GenerateContext
from distillc.plugins.api.metrics import Item
from distillc.plugins.generators.configs import AnswerConfig

DISAGREEMENT = "disagreement"
UNJUDGED = "unjudged"
UNCLEAR = "unclear tokens"


@dataclass(frozen=True, slots=True)
class Given:
    """What one model said to a row. `reason`: why that is not learned from; "" where it may be."""

    teacher: str
    completion: Completion
    text: str
    reason: str


class Answer:
    """`teacher` is the model's name in the spec, `usage` its tokens; of a choice those of the whole panel, for all were paid.

    What is to be trained on must have ended by itself: of the others each kind is dropped under a reason of its own (one cut off by
    `max_tokens` unless the config keeps it), one without text as `empty`. Answers under test are kept as they are, under the id of the
    row they answer, so that every model is measured on the same rows and differences pair.
    """

    def __init__(self, config: AnswerConfig) -> None:
        self.config = config

    def generate(self, rows: Sequence[Row], context: GenerateContext) -> Iterator[Row]:
        ports = context.ports("model")
        panel = [self._given(port, rows, context, alone=len(ports) == 1) for port in ports]
        if self.config.keep == "best":
            yield from self._best(rows, list(zip(*panel, strict=True)), context)
            return
        for row, given in zip(rows, zip(*panel, strict=True), strict=True):
            usable = [one for one in given if not one.reason]
            if not usable:
                context.drop(row, given[0].reason)
            elif self.config.keep != "agreement":
                yield from (self._row(row, one, [one]) for one in usable)
            elif chosen := agreed(usable, self.config.agree or len(given) // 2 + 1):
                yield self._row(row, chosen, given)
            else:
                context.drop(row, DISAGREEMENT)

    def _given(self, port: str, rows: Sequence[Row], context: GenerateContext, *, alone: bool) -> Iterator[Given]:
        teacher = context.model(port).info.name
        for _, completion in context.answer(port, rows, top_logprobs=self.config.top_logprobs or 0):
            text = completion.text.strip()
            reason = lost(completion.finish_reason, text)
            if reason == "truncated" and text and self.config.truncated == "keep":
                reason = ""
            if self.config.top_logprobs and not reason and not completion.logprobs:
                reason = UNCLEAR
            if self.config.into == "output":
                reason = ""
            if reason and not alone:
                context.lose(port, reason)
            yield Given(teacher, completion, text, reason)

    def _best(self, rows: Sequence[Row], panel: Sequence[tuple[Given, ...]], context: GenerateContext) -> Iterator[Row]:
        """All answers are judged at once, for a judge may have a model that likes batches."""
        items = [
            Item(row.row_id, str(row.payload["input"]), one.text, (), row.group)
            for row, given in zip(rows, panel, strict=True)
            for one in given
            if not one.reason
        ]
        scores = iter(context.score("judge", items))
        for row, given in zip(rows, panel, strict=True):
            judged = [(next(scores), one) for one in given if not one.reason]
            best = max((score for score, _ in judged if score == score), default=None)  # NaN: the judge has no verdict
            if best is None:
                context.drop(row, UNJUDGED if judged else given[0].reason)
            else:
                yield self._row(row, next(one for score, one in judged if score == best), given)

    def _row(self, row: Row, chosen: Given, paid: Sequence[Given]) -> Row:
        into, completion = self.config.into, chosen.completion
        name = hashlib.blake2b(f"answer\0{into}\0{chosen.teacher}\0{row.row_id}".encode(), digest_size=10).hexdigest()
        payload = {**row.payload, into: chosen.text}
        if into == "target" or self.config.reasoning == "keep":
            payload.pop("reasoning", None)  # that of a target before this one
        if self.config.reasoning == "keep" and completion.reasoning:
            payload["reasoning"] = completion.reasoning
        return replace(
            row,
            row_id=row.row_id if into == "output" else name,
            payload=payload,
            generator="answer",
            teacher=chosen.teacher,
            finish_reason=completion.finish_reason,
            usage={
                "prompt_tokens": sum(one.completion.prompt_tokens for one in paid),
                "completion_tokens": sum(one.completion.completion_tokens for one in paid),
            },
            parents=(row.row_id,),
            logprobs=completion.logprobs,
        )


def agreed(usable: Sequence[Given], least: int) -> Given | None:
    """The first among those with the text that most have; None where fewer than `least` have it, or another text has as many votes."""
    votes = Counter(same(one.text) for one in usable)
    (text, most), *others = votes.most_common(2)
    if most < least or any(count == most for _, count in others):
        return None
    return next(one for one in usable if same(one.text) == text)


def same(text: str) -> str:
    """What two answers have in common that agree: letters as NFC has them, any white space as one blank. Case and signs count."""
    return " ".join(unicodedata.normalize("NFC", text).split())
