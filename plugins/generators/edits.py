"""Edits of a sentence: where they may stand, and how several are applied at once."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Characters `start` to `stop` of the clean sentence become `text`."""

    start: int
    stop: int
    text: str


Family = Callable[[str], Iterator[Edit]]
"""All the places of a clean sentence where one type of error may be put. Pure; the generator picks."""


def apply(sentence: str, edits: Sequence[Edit]) -> str:
    """The sentence with all edits; they must not overlap."""
    parts: list[str] = []
    at = 0
    for edit in sorted(edits):
        parts += [sentence[at : edit.start], edit.text]
        at = edit.stop
    return "".join([*parts, sentence[at:]])


def overlaps(edit: Edit, others: Sequence[Edit]) -> bool:
    """Whether an edit touches another, or leaves less than a word between them: two errors in one place are a riddle, not a pair."""
    return any(edit.start <= other.stop + 1 and other.start <= edit.stop + 1 for other in others)


def substitutions(pattern: "re.Pattern[str]", table: Mapping[str, Sequence[str]]) -> Family:
    """A family that replaces group 1 of `pattern` by what `table` says of it (lower case; a capital is kept)."""

    def family(sentence: str) -> Iterator[Edit]:
        for match in pattern.finditer(sentence):
            for text in table.get(match[1].lower(), ()):
                yield Edit(match.start(1), match.end(1), cased(text, match[1]))

    return family


def words_of(table: Mapping[str, Sequence[str]]) -> "re.Pattern[str]":
    """A pattern whose group 1 is any key of a table as a whole word."""
    return re.compile(rf"\b({'|'.join(sorted(map(re.escape, table), key=len, reverse=True))})\b", re.IGNORECASE)


def cased(text: str, model: str) -> str:
    """`text` with a capital where `model` has one."""
    return text[:1].upper() + text[1:] if model[:1].isupper() else text
