"""Tokens of the server: pieces of up to six letters. Joined they give the text back."""

import re
from functools import lru_cache

_PIECE = re.compile(r"\s?[^\W\d_]{1,6}|\s?[^\w\s]|\s?[\d_]{1,3}|\s")


def pieces(text: str) -> list[str]:
    return _PIECE.findall(text)


@lru_cache(maxsize=4096)  # the same instructions come with each request
def count(text: str) -> int:
    return len(_PIECE.findall(text))
