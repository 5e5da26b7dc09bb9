"""A Code Quality report of GitLab (`artifacts: reports: codequality:`), which shows findings in a merge request.

docs.gitlab.com/ci/testing/code_quality: each has a description, a check, a fingerprint, a severity and a place, in paths from the root.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from distillc.spec.diagnostic import Diagnostic, Severity, Span
from distillc.spec.render.paths import fingerprints, from_root
from distillc.spec.source import Source

SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(diagnostics: Sequence[Diagnostic], sources: Mapping[str, Source], *, color: bool = False) -> str:
    marks = fingerprints(diagnostics)
    report = [_issue(diagnostic, mark) for diagnostic, mark in zip(diagnostics, marks, strict=True)]
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"


def _issue(diagnostic: Diagnostic, mark: str) -> dict[str, Any]:
    span = diagnostic.span or Span("", 1, 1, 1, 1)  # a path is asked for, also where a command could not be carried out
    return {
        "description": "; ".join(part for part in (diagnostic.message, diagnostic.help) if part),
        "check_name": diagnostic.code,
        "fingerprint": mark,
        "severity": SEVERITIES[diagnostic.severity],
        "location": {
            "path": (from_root(span.file) or span.file) if span.file else ".",
            "positions": {
                "begin": {"line": span.line, "column": span.column},
                "end": {"line": span.end_line, "column": span.end_column},
            },
        },
    }
