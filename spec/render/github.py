"""Workflow commands of GitHub Actions, which show findings beside the changed lines of a pull request.

docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from collections.abc import Mapping, Sequence

from distillc.spec.diagnostic import Diagnostic, Severity
from distillc.spec.render.paint import safe
from distillc.spec.render.paths import from_root
from distillc.spec.source import Source, is_override

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(diagnostics: Sequence[Diagnostic], sources: Mapping[str, Source], *, color: bool = False) -> str:
    return "".join(f"{_command(diagnostic)}\n" for diagnostic in diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    properties: dict[str, str | int] = {"title": f"distillc {diagnostic.code}"}
    if span and not is_override(span.file):
        properties["file"] = from_root(span.file) or span.file
        properties["line"] = span.line
        if span.line == span.end_line:  # columns of two lines are refused
            properties |= {"col": span.column, "endLine": span.end_line, "endColumn": span.end_column}
        else:
            properties["endLine"] = span.end_line
    text = "\n".join(safe(part) for part in (diagnostic.message, diagnostic.help, *diagnostic.notes) if part)
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{COMMANDS[diagnostic.severity]} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
