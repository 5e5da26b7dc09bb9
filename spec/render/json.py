"""Findings as a JSON list for programs (design, section 8). Lines and columns count characters from 1; the end is exclusive."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from distillc.spec.codes import page
from distillc.spec.diagnostic import Diagnostic, Fix
from distillc.spec.source import Source


def render(diagnostics: Sequence[Diagnostic], sources: Mapping[str, Source], *, color: bool = False) -> str:
    return json.dumps([as_dict(diagnostic) for diagnostic in diagnostics], indent=1, ensure_ascii=False) + "\n"


def as_dict(diagnostic: Diagnostic) -> dict[str, Any]:
    """`url` is the page of the code. The edits of a fix are all in the file of the finding."""
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
        "fix": _fix(diagnostic.fix) if diagnostic.fix else None,
        "url": page(diagnostic.code),
    }


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [
        {
            "line": edit.span.line,
            "column": edit.span.column,
            "end_line": edit.span.end_line,
            "end_column": edit.span.end_column,
            "content": edit.text,
        }
        for edit in fix.edits
    ]
    return {"applicability": str(fix.applicability), "message": fix.message, "edits": edits}
