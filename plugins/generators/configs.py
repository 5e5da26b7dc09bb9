"""What a spec may say about each generator."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from distillc.spec.fields import Config, ModelRef
from distillc.spec.model import JudgeStep

CommonFamily = Literal[
    "agreement", "article_form", "article_missing", "prepositions", "confusables", "verb_forms", "noun_number",
    "full_stop", "comma_missing", "comma_extra", "capital", "doubled_word", "missing_word",
]  # fmt: skip
HeldOutFamily = Literal[
    "look_alikes", "demonstratives", "adjective_adverb", "comparatives", "complements", "apostrophe",
    "comma_spacing", "word_boundary", "word_order",
]  # fmt: skip


class CorruptConfig(Config):
    errors: Literal["common", "held_out"] | tuple[CommonFamily | HeldOutFamily, ...] = Field(
        default="common", description="`common` or `held_out`, which share no error type and no misspelled word, or a list of families"
    )
    gold: Literal["keep", "drop"] = Field(
        default="keep", description="`keep` puts the clean sentence into `target`; `drop` leaves `target` out"
    )
    per_sentence: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        default=(0.1, 0.45, 0.3, 0.15),
        min_length=1,
        description="weights of 0, 1, 2 … errors in a sentence; with 0 errors the sentence stays as it is",
    )
    misspellings: float = Field(
        default=0.25, ge=0, le=1, description="share of the errors that are misspellings from codespell's dictionary"
    )


class AnswerConfig(Config):
    """What goes with what is a rule (`spec/rules/panel.py`)."""

    model: ModelRef | Annotated[tuple[ModelRef, ...], Field(min_length=2)] = Field(
        description="the model that answers; a list is a panel: all of them answer, and `keep` says what becomes of that"
    )
    keep: Literal["agreement", "best", "all"] | None = Field(
        default=None,
        description="of a panel: `agreement` keeps the text that most models gave, and drops rows without such a text; `best` the answer "
        "that `judge` scores best; `all` makes a row of each",
    )
    agree: int | None = Field(default=None, ge=2, description="how many models must give the same text (None: more than half of the panel)")
    judge: JudgeStep | None = Field(
        default=None, description="who scores the answers for `keep: best`; of equal ones the first model's wins"
    )
    into: Literal["target", "output"] = Field(
        default="target",
        description="the field of the payload that takes the answer: `target` to train on it, `output` to measure it beside the target",
    )
    truncated: Literal["drop", "keep"] = Field(default="drop", description="what happens to a target that `max_tokens` cut off")
    reasoning: Literal["drop", "keep"] = Field(
        default="drop", description="`keep` puts what the model thought before it answered into the row, as `reasoning`"
    )
    top_logprobs: int | None = Field(
        default=None,
        ge=1,
        le=20,
        description="so many likeliest tokens are asked for at each token of an answer: what a soft loss learns from where the model is "
        "behind an API",
    )

    def estimate(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.keep != "all" or isinstance(self.model, str):
            return {}
        return {"rows": {split: None if count is None else count * len(self.model) for split, count in inputs["rows"].items()}}
