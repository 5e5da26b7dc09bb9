"""Anchors (`&name`) that no alias (`*name`) names: what was to be shared is not."""

from collections.abc import Iterator, Sequence

from distillc.spec.diagnostic import Diagnostic, Edit, Fix, Severity
from distillc.spec.source import Source
from distillc.spec.wording import shorten

MAX_FOUND = 20


def unused_anchors(source: Source, unused: Sequence[tuple[str, int]]) -> Iterator[Diagnostic]:
    """A warning for each of `Parsed.unused`, the first ones of a file that is full of them."""
    for name, start in unused[:MAX_FOUND]:
        at = source.text.index(f"&{name}", start)
        end = at + len(name) + 1
        message = f"no alias names the anchor `&{shorten(name)}`"
        start, last = _with_a_space(source.text, at, end)
        alone = source.text[last : last + 1] in (":", ",", "]")  # of an empty key or item nothing would be left
        fix = None if alone else Fix("take it out", (Edit(source.span(start, last), ""),))
        yield Diagnostic("D015", Severity.WARNING, message, source.span(at, end), help=f"write `*{shorten(name)}`, or take it out", fix=fix)


def _with_a_space(text: str, start: int, end: int) -> tuple[int, int]:
    """The anchor, and the spaces that held it apart: those after it, or at the end of a line those before."""
    last = end
    while text[last : last + 1] in (" ", "\t"):
        last += 1
    if text[last : last + 1] not in ("", "\n", "\r"):
        return start, last
    while text[start - 1 : start] in (" ", "\t"):
        start -= 1
    return start, end
