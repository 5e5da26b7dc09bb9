"""What answers and trainings elsewhere come to before anybody has counted: tokens by the length of texts, money by tokens and price.

All of it is about so much, and no bound: how many bytes a token has is the tokenizer's affair and the text's.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from math import ceil
from typing import Any, NamedTuple

from distillc.compiler.tables.prices import BATCH_DISCOUNT
from distillc.spec.money import cost, exact

BYTES = 4
"""Of a token: what vocabularies of today make of English (OpenAI, "What are tokens"). Code and other scripts have fewer bytes a token."""
MESSAGE = 4
"""Tokens that a chat template puts around a message: two marks, the role and a line break."""

_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


class Texts(NamedTuple):
    """How many bytes the input and the target of a row have, on average; None where nobody knows."""

    input: float | None = None
    target: float | None = None


class Prompt(NamedTuple):
    """A prompt with its `system`, but for what rows bring: its bytes, how often the input stands in it, and its messages."""

    bytes: int
    inputs: int
    messages: int

    def tokens(self, rows: int, texts: Texts) -> int:
        """Of so many rows. Where nobody knows how long inputs are, without them."""
        return ceil(rows * ((self.bytes + self.inputs * (texts.input or 0)) / BYTES + MESSAGE * self.messages))

    def trained_tokens(self, rows: int, texts: Texts, epochs: int) -> int:
        """Of so many rows with their targets, each epoch anew: what platforms bill."""
        return epochs * (self.tokens(rows, texts) + ceil(rows * ((texts.target or 0) / BYTES + MESSAGE)))

    def uncounted(self, texts: Texts, *, trained: bool = False) -> str | None:
        """In words, what of it nobody knows the length of."""
        inputs = "inputs" if self.inputs and texts.input is None else None
        targets = "targets" if trained and texts.target is None else None
        return " and ".join(filter(None, (inputs, targets))) or None


@lru_cache(maxsize=64)
def prompt_of(template: str, system: str | None) -> Prompt:
    fixed = len(_JINJA.sub("", template).encode()) + len((system or "").encode())
    return Prompt(fixed, template.count("{{"), 2 if system else 1)


class Bill(NamedTuple):
    """US dollars for the tokens that a model reads, and for those that it writes."""

    prompts: Decimal
    answers: Decimal


def asking(price: Mapping[str, Any], read: int, written: int, mode: str | None) -> Bill:
    """`price`: as an entry of a model has it. `mode`: `batch` halves it."""
    paid = 1 - BATCH_DISCOUNT if mode == "batch" else 1
    return Bill(cost(read, exact(price["input"])) * paid, cost(written, exact(price["output"])) * paid)
