"""What is wrong in the part of a spec that was read before its text stopped being YAML: the shape of what is complete there.

No rule is asked, and nothing that seems to be missing is reported: it may stand in the rest.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from distillc.spec.check import Walker
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import MappingNode
from distillc.spec.parse import Parsed
from distillc.spec.references import KINDS
from distillc.spec.source import Source

_MISSING = "D102"


def checked(read: Parsed, source: Source, schema: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Of the section in which the reading stopped, only steps that were complete; of one that has no steps, nothing."""
    if read.before is None:
        return
    walker = Walker(schema)
    sections: Mapping[str, Any] = schema["properties"]
    for entry in read.before:
        cut = entry.key == read.section
        if entry.key not in sections:
            if not cut:
                yield walker.unknown(entry, sections, read.before, ())
        elif cut and entry.key in KINDS and isinstance(entry.value, MappingNode):
            for step in entry.value:
                found = list(_about(walker.of_step(entry.key, step).diagnostics, source))
                last = step.key == next(reversed(entry.value.entries))  # what it lacks may stand in the line that could not be read
                yield from (finding for finding in found if not (last and finding.code == _MISSING))
        elif not cut:
            yield from _about(walker.visit(entry.value, sections[entry.key], (entry.key,), entry.key_span).diagnostics, source)


def _about(found: list[Diagnostic], source: Source) -> Iterator[Diagnostic]:
    """Without what is said of a value that is put together from others only later (`${…}`)."""
    for finding in found:
        if finding.span is None or finding.code == _MISSING or "${" not in _text(source, finding):
            yield finding


def _text(source: Source, finding: Diagnostic) -> str:
    span = finding.span
    return source.text[source.offset(span.line, span.column) : source.offset(span.end_line, span.end_column)] if span else ""
