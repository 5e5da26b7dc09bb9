"""Findings as a JSON list for programs (design, section 8). Lines and columns count characters from 1; the end is exclusive."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.source import Source


def render(diagnostics: Sequence[Diagnostic], sources: Mapping[str, Source], *, color: bool = False) -> str:
    return json.dumps([as_dict(diagnostic) for diagnostic in diagnostics], indent=1, ensure_ascii=False) + "\n"


def as_dict(diagnostic: Diagnostic) -> dict[str, Any]:
    """`fix` and `url` are there for readers to rely on; this version has none to give."""
    span = diagnostic.span
    return {
        "code": diagnostic.code,
        "level": str(diagnostic.severity),
        "message": diagnostic.message,
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "end_line": span.end_line if span else None,
        "end_column": span.end_column if span else None,
        "help": diagnostic.help,
        "fix": None,
        "url": None,
    }
