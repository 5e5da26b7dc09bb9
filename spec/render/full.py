"""A finding with the line it is about and a caret under the place:

distill.yaml:9:28 error[D101]: unknown key `limt` in `generate.pairs`
  |
9 |   pairs: {from: prose, limt: 800}
  |                        ^^^^
  = help: did you mean `limit`?
  = fix: replace `limt` by `limit` (unsafe)
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from distillc.spec.codes import HIDDEN_CODES, page
from distillc.spec.diagnostic import Applicability, Diagnostic, Fix, Span
from distillc.spec.render.paint import COLORS, link, paint, safe
from distillc.spec.source import Source

MAX_WIDTH = 120
"""Cells of an excerpt; a longer line is cut around the place."""


def render(diagnostics: Sequence[Diagnostic], sources: Mapping[str, Source], *, color: bool = False) -> str:
    return "".join("\n".join(_lines(diagnostic, sources, color)) + "\n\n" for diagnostic in diagnostics)


def _lines(diagnostic: Diagnostic, sources: Mapping[str, Source], color: bool) -> Iterator[str]:
    tone = COLORS[diagnostic.severity]
    places = [(diagnostic.span, "")] if diagnostic.span else []
    places += [(label.span, label.message) for label in diagnostic.related]
    head = f"{safe(diagnostic.span.file)}:{diagnostic.span.line}:{diagnostic.span.column} " if diagnostic.span else ""
    level = link(paint(f"{diagnostic.severity}[{diagnostic.code}]", f"1;{tone}", color), page(diagnostic.code), color)
    yield f"{head}{level}: {paint(safe(diagnostic.message), '1', color)}"
    shown = [(span, message) for span, message in places if span.file in sources]
    margin = max((len(str(span.line)) for span, _ in shown), default=1)
    bar = paint("|", "34", color)
    for number, (span, message) in enumerate(shown):
        if diagnostic.span and span.file != diagnostic.span.file:
            yield f"{' ' * margin} {paint('::', '34', color)} {safe(span.file)}:{span.line}:{span.column}"
        yield f"{' ' * margin} {bar}"
        excerpt, carets = _excerpt(span, sources[span.file], hide=number == 0 and diagnostic.code in HIDDEN_CODES)
        carets = carets if number == 0 else carets.replace("^", "-")
        yield f"{paint(str(span.line).rjust(margin), '34', color)} {bar} {excerpt}".rstrip()
        yield f"{' ' * margin} {bar} {paint(carets, tone if number == 0 else '34', color)}" + (f" {safe(message)}" if message else "")
    help = (diagnostic.help,) if diagnostic.help else ()
    for kind, texts in (("help", help), ("note", diagnostic.notes), ("fix", _fix(diagnostic.fix))):
        for text in texts:
            yield f"{' ' * margin} {paint('=', '34', color)} {paint(kind, '1', color)}: {safe(text)}"


def _fix(fix: Fix | None) -> tuple[str, ...]:
    if fix is None:
        return ()
    return (fix.message if fix.applicability is Applicability.SAFE else f"{fix.message} (unsafe)",)


def _excerpt(span: Span, source: Source, *, hide: bool) -> tuple[str, str]:
    """The line and the carets under it, in terminal cells. `hide` masks the place itself."""
    line = source.line(span.line)
    start = min(span.column - 1, len(line))
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    end = max(start, min(end, len(line)))
    if hide:
        line = line[:start] + "*" * (end - start) + line[end:]
    left, right = _window(line, start, end)
    cells = [_cell(character) for character in line[left:right]]
    before = "…" if left else ""
    text = before + "".join(cells) + ("…" if right < len(line) else "")
    indent = len(before) + sum(map(_width, cells[: start - left]))
    width = sum(map(_width, cells[start - left : end - left]))
    return text, " " * indent + "^" * max(1, width)


def _window(line: str, start: int, end: int) -> tuple[int, int]:
    """The stretch of a line that is shown: all of a short one, else what lies around the place."""
    if len(line) <= MAX_WIDTH:
        return 0, len(line)
    left = max(0, min(start - MAX_WIDTH // 3, len(line) - MAX_WIDTH))
    return left, min(len(line), left + MAX_WIDTH)


def _cell(character: str) -> str:
    return "    " if character == "\t" else safe(character) if unicodedata.category(character) not in ("Mn", "Me") else character


def _width(cell: str) -> int:
    """Terminal cells of what one character is shown as (Unicode annex 11; combining marks take none)."""
    if len(cell) != 1:
        return len(cell)
    if unicodedata.combining(cell) or unicodedata.category(cell) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(cell) in "WF" else 1
