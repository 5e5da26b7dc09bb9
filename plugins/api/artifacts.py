"""What plugins hand to each other: rows, models, completions. Plain and frozen, no library behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row and where it came from.

    `row_id` is unique in its artifact and a pure function of its origin. `payload` is typed by `task.kind`; for `generate`
    it has `input` and, where it is known, `target` (the task's own names for them, `text` and `fixed` say, are those of
    prompts and files, not of rows). `group` is what a split must not tear apart (a module, a document). `parents` are ids of
    the rows it was made from. `logprobs`: what the teacher told of each token of its answer, packed (`Completion.logprobs`).
    """

    row_id: str
    payload: Mapping[str, Any]
    source: str
    group: str = ""
    split: Split = "train"
    generator: str = ""
    teacher: str | None = None
    finish_reason: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    parents: tuple[str, ...] = ()
    logprobs: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The spec's `task`. `prompt` is a Jinja template over the task's own name of the input."""

    kind: str
    input: str
    target: str
    prompt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """`top_logprobs`: so many log-probabilities are to be told of each token that is written; 0 for none."""

    max_tokens: int = 64
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    top_logprobs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """The `distill.json` beside a model. `format` is what engines read: `hf`, `gguf`, `onnx-genai`; without weights
    here, `api` (somebody else runs it), `recorded` (answers) or `rules/NAME`.

    `name` is the model's name in the spec; `lineage` the families it descends from, its own first.
    """

    format: str
    name: str
    family: str | None = None
    license: str | None = None
    base: str | None = None
    lineage: tuple[str, ...] = ()
    parameters: int | None = None
    precision: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A model on this machine: its folder (read-only) and what is known of it."""

    folder: Path
    info: ModelInfo


LOST = {
    "length": "truncated", "content_filter": "filtered", "refusal": "refused", "tool_calls": "tool call", "too_long": "too long",
    "error": "broken",
}  # fmt: skip
"""Why an answer is not learned from, by its `finish_reason`."""

FINISH_REASONS = ("stop", *LOST)


def lost(finish_reason: str | None, text: str) -> str:
    """Why nobody learns from an answer, in a word; empty for one that ended by itself and says something."""
    return LOST.get(finish_reason or "", "" if text else "empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One answer. `text` has neither prompt nor end token, nor what the model thought before it: that is `reasoning`.

    Only an answer that ended by itself has the `finish_reason` `stop`. `length`: cut off by `max_tokens`; `content_filter`: held back by
    the API; `refusal`: the model declined; `tool_calls`: it called a tool instead; `too_long`: the model reads less than the prompt, with
    room for an answer; `error`: what came is no answer, a thought without an end among them.

    `logprobs`: of each token of `text`, white space around it left out, the likeliest candidates as `runtimes/inference/logprobs.py` packs
    them; empty where none were asked for, and where the tokens that were told do not spell the text.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    reasoning: str = ""
    logprobs: bytes = b""


def answer_in(row: Row) -> Completion:
    """The answer that a row has as its `output`, beside what it cost."""
    return Completion(
        text=str(row.payload["output"]),
        finish_reason=row.finish_reason or "stop",
        prompt_tokens=row.usage.get("prompt_tokens", 0),
        completion_tokens=row.usage.get("completion_tokens", 0),
        reasoning=str(row.payload.get("reasoning", "")),
        logprobs=row.logprobs,
    )
