"""What a plain scalar means in YAML 1.2: its core schema, where `no` is a text and `010` is ten.

yaml.org/spec/1.2.2, section 10.3.2. (libyaml's users resolve by 1.1, where `no` is false and `010` is eight.)
"""

import re

MAX_DIGITS = 400
"""CPython refuses integers from 4,300 digits on; no number of the language has 400."""

_WORDS: dict[str, bool | float | None] = {"": None, "~": None}
_WORDS |= dict.fromkeys(("null", "Null", "NULL"))
_WORDS |= {word: word[0] in "tT" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_WORDS |= {f"{sign}.{word}": float(f"{sign}inf") for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")}
_WORDS |= {word: float("nan") for word in (".nan", ".NaN", ".NAN")}
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_RADIX = re.compile(r"0o([0-7]+)\Z|0x([0-9a-fA-F]+)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")


def scalar_value(text: str) -> str | int | float | bool | None:
    """The value of a scalar without quotes. A number of absurd length stays a text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789" or len(text) > MAX_DIGITS:
        return text
    if _INTEGER.match(text):
        return int(text)
    if radix := _RADIX.match(text):
        return int(radix[1], 8) if radix[1] else int(radix[2], 16)
    return float(text) if _FLOAT.match(text) else text
