"""One line a finding: `file:line:column code message`."""

from collections.abc import Mapping, Sequence

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.render.paint import COLORS, paint, safe
from distillc.spec.source import Source


def render(diagnostics: Sequence[Diagnostic], sources: Mapping[str, Source], *, color: bool = False) -> str:
    return "".join(f"{_line(diagnostic, color)}\n" for diagnostic in diagnostics)


def _line(diagnostic: Diagnostic, color: bool) -> str:
    place = f"{safe(diagnostic.span.file)}:{diagnostic.span.line}:{diagnostic.span.column} " if diagnostic.span else ""
    help = f"; {safe(diagnostic.help)}" if diagnostic.help else ""
    return f"{place}{paint(diagnostic.code, COLORS[diagnostic.severity], color)} {safe(diagnostic.message)}{help}"
