"""A grammar checker of rules: takes back what careless writers and `corrupt` put in. What it does not know it leaves alone."""

import re
from collections.abc import Callable
from functools import lru_cache

_Repair = str | Callable[[re.Match[str]], str]


def _capital(match: re.Match[str]) -> str:
    return match[0].upper()


_SINGULAR = r"\b(he|she|it)"
_PLURAL = r"\b(we|you|they)"
_RULES: tuple[tuple[re.Pattern[str], _Repair], ...] = tuple(
    (re.compile(pattern, flags), repair)
    for pattern, flags, repair in (
        (r"\b(\w+)(\s+\1\b)+", re.IGNORECASE, r"\1"),
        (_SINGULAR + r" don't\b", re.IGNORECASE, r"\1 doesn't"),
        (_SINGULAR + r" do not\b", re.IGNORECASE, r"\1 does not"),
        (_SINGULAR + r" have\b", re.IGNORECASE, r"\1 has"),
        (_SINGULAR + r" (?:are|were)\b", re.IGNORECASE, r"\1 is"),
        (_SINGULAR + r" go\b", re.IGNORECASE, r"\1 goes"),
        (_SINGULAR + r" (want|like|need|live|work|play|know)\b(?! to be)", re.IGNORECASE, r"\1 \2s"),
        (_PLURAL + r" (?:is|am)\b", re.IGNORECASE, r"\1 are"),
        (_PLURAL + r" was\b", re.IGNORECASE, r"\1 were"),
        (_PLURAL + r" has\b", re.IGNORECASE, r"\1 have"),
        (_PLURAL + r" goes\b", re.IGNORECASE, r"\1 go"),
        (r"\b([Aa]) (?=[aeio])(?!one\b|once\b|eu)", 0, r"\1n "),
        (r"\b([Aa])n (?=[bcdfgjklmnpqrstvwxyz])", 0, r"\1 "),
        (r"\b(could|should|would|must|might) of\b", re.IGNORECASE, r"\1 have"),
        (r"\bmore (better|worse|easier|bigger|smaller)\b", re.IGNORECASE, r"\1"),
        (r"\b(t)eh\b", re.IGNORECASE, r"\1he"),
        (r"\b(r)eciev(e[ds]?|ing)\b", re.IGNORECASE, r"\1eceiv\2"),
        (r"\b(d)efinately\b", re.IGNORECASE, r"\1efinitely"),
        (r"\b(b)ecuase\b", re.IGNORECASE, r"\1ecause"),
        (r"\b(alot)\b", 0, r"a lot"),
        (r"\bi\b(?!\.)", 0, "I"),
        (r" +([,.;:?!])", 0, r"\1"),
        (r"^[a-z]", 0, _capital),
        (r"(?<=[\w)])$", 0, "."),
    )
)


@lru_cache(maxsize=4096)
def corrected(sentence: str) -> str:
    text = sentence.strip()
    for pattern, repair in _RULES:
        text = pattern.sub(repair, text)
    return text
