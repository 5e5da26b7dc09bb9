"""A grammar checker of rules: takes back what careless writers and `corrupt` put in. What it does not know it leaves alone.

Few patterns with a table behind each: the server answers thousands of sentences a second.
"""

import re
from functools import lru_cache

_DOUBLED = re.compile(r"\b(\w+)(?:\s+\1\b)+", re.IGNORECASE)
_ONE = {"don't": "doesn't", "do": "does", "have": "has", "are": "is", "were": "was", "go": "goes"} | {
    verb: verb + "s" for verb in ("want", "like", "need", "live", "work", "play", "know", "think", "make", "take")
}
_MANY = {"is": "are", "am": "are", "was": "were", "has": "have", "goes": "go", "does": "do", "doesn't": "don't"}
_AGREES = {**dict.fromkeys(("he", "she", "it"), _ONE), **dict.fromkeys(("we", "you", "they"), _MANY)}
_VERB = re.compile(rf"(?<!\S)({'|'.join(_AGREES)}) ({'|'.join((*_ONE, *_MANY))})(?![\w'])", re.IGNORECASE)
_WORDS = {"teh": "the", "alot": "a lot", "definately": "definitely", "becuase": "because", "i": "I", "could of": "could have"} | {
    wrong + end: right + end for wrong, right in (("reciev", "receiv"), ("beleiv", "believ")) for end in ("e", "ed", "es", "ing")
}
_WORD = re.compile(rf"\b({'|'.join(_WORDS)})\b(?!\.\w)")
_ARTICLE = re.compile(r"\b([Aa])n? (?!one\b|once\b|eu|uni|us[ei]|hour|honest|heir)(?=([aeiou]?)[a-z])")
_SPACE = re.compile(r" +([,.;:?!])")


@lru_cache(maxsize=4096)
def corrected(sentence: str) -> str:
    text = _DOUBLED.sub(r"\1", sentence.strip())
    text = _VERB.sub(_agreeing, text)
    text = _WORD.sub(lambda match: _WORDS[match[1]], text)
    text = _ARTICLE.sub(lambda match: f"{match[1]}{'n' if match[2] else ''} ", text)
    text = _SPACE.sub(r"\1", text)
    if text[:1].islower():
        text = text[0].upper() + text[1:]
    return text + "." if text[-1:].isalnum() else text


def _agreeing(match: re.Match[str]) -> str:
    verb = match[2]
    return f"{match[1]} {_AGREES[match[1].lower()].get(verb.lower(), verb)}"
