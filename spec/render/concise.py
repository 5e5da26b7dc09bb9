"""One line a finding: `file:line:column code message`, with `[*]` before the message where `--fix` mends it."""

from collections.abc import Mapping, Sequence

from distillc.spec.diagnostic import Applicability, Diagnostic
from distillc.spec.render.paint import COLORS, paint, safe
from distillc.spec.source import Source


def render(diagnostics: Sequence[Diagnostic], sources: Mapping[str, Source], *, color: bool = False) -> str:
    return "".join(f"{_line(diagnostic, color)}\n" for diagnostic in diagnostics)


def _line(diagnostic: Diagnostic, color: bool) -> str:
    place = f"{safe(diagnostic.span.file)}:{diagnostic.span.line}:{diagnostic.span.column} " if diagnostic.span else ""
    help = f"; {safe(diagnostic.help)}" if diagnostic.help else ""
    star = "[*] " if diagnostic.fix and diagnostic.fix.applicability is Applicability.SAFE else ""
    return f"{place}{paint(diagnostic.code, COLORS[diagnostic.severity], color)} {star}{safe(diagnostic.message)}{help}"
