"""Real misspellings, from the dictionary of `codespell` (read at run time, never copied): two halves that share no word.

A line of the dictionary is `misspelling->correction` or, where several are possible, `misspelling->one, other,`; only the first form
is used. Which half an entry is in depends on a hash of the *correct* word, so that a word misspelled in training is not one of the test's.
"""

import functools
import hashlib
import importlib.resources
import re
from collections.abc import Iterator, Mapping
from typing import Literal

from distillc.plugins.generators.edits import Edit, cased

Half = Literal["common", "held_out"]

_LINE = re.compile(r"([a-z]{3,})->([a-z]{4,})")
_HELD_OUT_SHARE = 4  # one correct word in four is kept for the test


@functools.cache
def dictionary(half: Half) -> Mapping[str, tuple[str, ...]]:
    """Correct word to its misspellings, both in lower case, in the dictionary's order. Raises ModuleNotFoundError without codespell."""
    found: dict[str, list[str]] = {}
    for wrong, right in _entries():
        if half_of(right) == half:
            found.setdefault(right, []).append(wrong)
    return {right: tuple(wrong) for right, wrong in found.items()}


@functools.cache
def all_misspellings() -> frozenset[str]:
    """Every misspelling of either half: a sentence with one of them is no clean sentence."""
    return frozenset(wrong for wrong, _ in _entries())


def half_of(right: str) -> Half:
    return "held_out" if hashlib.blake2b(right.encode(), digest_size=1).digest()[0] % _HELD_OUT_SHARE == 0 else "common"


def places(sentence: str, half: Half) -> Iterator[Edit]:
    """Every word of the sentence with each of its misspellings.  `Receive the data.` → `Recieve the data.`"""
    entries = dictionary(half)
    for match in re.finditer(r"\b[A-Za-z][a-z]{3,}\b", sentence):
        for wrong in entries.get(match[0].lower(), ()):
            yield Edit(match.start(), match.end(), cased(wrong, match[0]))


def _entries() -> Iterator[tuple[str, str]]:
    text = importlib.resources.files("codespell_lib").joinpath("data", "dictionary.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if match := _LINE.fullmatch(line):
            yield match[1], match[2]
