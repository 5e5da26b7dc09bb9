"""Colours, and text that is safe to print: a spec may hold terminal codes, a terminal must not obey them."""

from distillc.spec.diagnostic import Severity

COLORS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}


def paint(text: str, code: str, on: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if on and text else text


def safe(text: str) -> str:
    """Control and invisible formatting characters as escapes."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else character.encode("unicode_escape").decode() for character in text)
