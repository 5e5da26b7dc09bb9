"""Colours, and text that is safe to print: a spec may hold terminal codes, a terminal must not obey them."""

from distillc.spec.diagnostic import Severity

COLORS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}


def paint(text: str, code: str, on: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if on and text else text


def link(text: str, url: str, on: bool) -> str:
    """A link for terminals (OSC 8); those that know none show the text. Only where `url` leads somewhere from anywhere."""
    return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\" if on and "://" in url else text


def safe(text: str) -> str:
    """Control and invisible formatting characters as escapes."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else character.encode("unicode_escape").decode() for character in text)
