"""A log in SARIF 2.1.0, which GitHub's code scanning and many viewers read.

docs.oasis-open.org/sarif/sarif/v2.1.0. Columns count code points, as ours do, and ends are exclusive there too. A finding without a
place (a command that could not be carried out) is a notification of the run, not a result. Braces in messages stay single: they
are placeholders only where a message has arguments.
"""

import json
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from distillc.spec.codes import ALL_CODES, page
from distillc.spec.diagnostic import Diagnostic, Fix, Severity, Span
from distillc.spec.explanation import as_markdown, explanation, written
from distillc.spec.render.paths import fingerprints, from_root
from distillc.spec.source import Source, is_override

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
ROOT = "%SRCROOT%"
_LINK = re.compile(r"\[(?=[^\[\]]*\]\()")


def render(diagnostics: Sequence[Diagnostic], sources: Mapping[str, Source], *, color: bool = False) -> str:
    codes = sorted({diagnostic.code for diagnostic in diagnostics})
    placed = [diagnostic for diagnostic in diagnostics if diagnostic.span]
    results = [_result(diagnostic, codes, mark) for diagnostic, mark in zip(placed, fingerprints(placed), strict=True)]
    notifications = [_notification(diagnostic, codes) for diagnostic in diagnostics if not diagnostic.span]
    driver = {"name": "distillc", "semanticVersion": version("distillc"), "rules": [_rule(code) for code in codes]}
    invocation = {"executionSuccessful": not notifications, "toolExecutionNotifications": notifications}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [invocation],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _rule(code: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": code}
    if known := ALL_CODES.get(code):
        told = explanation(code, known)
        rule["name"] = "".join(word.capitalize() for word in known.name.split("-"))
        rule["shortDescription"] = {"text": told.summary}
        rule["fullDescription"] = {"text": told.why or told.summary}
        rule["help"] = {"text": written(known), "markdown": as_markdown(told) or told.summary}
    if "://" in page(code):  # it must be absolute
        rule["helpUri"] = page(code)
    return rule


def _result(diagnostic: Diagnostic, codes: Sequence[str], mark: str) -> dict[str, Any]:
    assert diagnostic.span
    result = {
        "ruleId": diagnostic.code,
        "ruleIndex": codes.index(diagnostic.code),
        "level": LEVELS[diagnostic.severity],
        "message": _message(diagnostic),
        "locations": [_location(diagnostic.span)],
        "partialFingerprints": {"distillc/v1": mark},
    }
    if diagnostic.related:
        result["relatedLocations"] = [
            {"id": number, **_location(label.span), "message": {"text": _plain(label.message)}}
            for number, label in enumerate(diagnostic.related, 1)
        ]
    if diagnostic.fix:
        result["fixes"] = [_fix(diagnostic.fix, diagnostic.span.file)]
    return result


def _notification(diagnostic: Diagnostic, codes: Sequence[str]) -> dict[str, Any]:
    descriptor = {"id": diagnostic.code, "index": codes.index(diagnostic.code)}
    return {"level": LEVELS[diagnostic.severity], "message": _message(diagnostic), "associatedRule": descriptor}


def _message(diagnostic: Diagnostic) -> dict[str, str]:
    return {"text": _plain("; ".join(part for part in (diagnostic.message, diagnostic.help, *diagnostic.notes) if part))}


def _plain(text: str) -> str:
    """`[a](b)` in a message would be a link."""
    return _LINK.sub(r"\\[", text)


def _location(span: Span) -> dict[str, Any]:
    if is_override(span.file):
        return {"logicalLocations": [{"fullyQualifiedName": span.file}]}
    return {"physicalLocation": {"artifactLocation": _artifact(span.file), "region": _region(span)}}


def _artifact(file: str) -> dict[str, str]:
    path = from_root(file)
    if path is not None:
        return {"uri": quote(path, errors="surrogateescape"), "uriBaseId": ROOT}
    return {"uri": Path(file).absolute().as_uri()}


def _region(span: Span) -> dict[str, int]:
    return {"startLine": span.line, "startColumn": span.column, "endLine": span.end_line, "endColumn": span.end_column}


def _fix(fix: Fix, file: str) -> dict[str, Any]:
    replacements = [{"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}} for edit in fix.edits]
    return {
        "description": {"text": _plain(f"{fix.message} ({fix.applicability})")},
        "artifactChanges": [{"artifactLocation": _artifact(file), "replacements": replacements}],
    }
