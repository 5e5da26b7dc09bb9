"""What the tool has to say about a place in a spec: a model, no printing.

Every message that a user can cause is a `Diagnostic`; renderers in `spec/render` turn it into text, and nothing else does.
"""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Span(NamedTuple):
    """A stretch of one file. Lines and columns count characters from 1; the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


class Label(NamedTuple):
    """A second place that belongs to a finding, and what it has to do with it."""

    span: Span
    message: str


class Applicability(StrEnum):
    """Whether a fix keeps what the spec means (safe), or needs somebody to look at it (unsafe)."""

    SAFE = "safe"
    UNSAFE = "unsafe"


class Edit(NamedTuple):
    """The text of a span, replaced. An empty span inserts; an empty text deletes."""

    span: Span
    text: str


class Fix(NamedTuple):
    """What would mend a finding. The edits belong together, do not overlap, and touch nothing else of the file."""

    message: str
    edits: tuple[Edit, ...]
    applicability: Applicability = Applicability.SAFE


class Diagnostic(NamedTuple):
    """One finding. `help` is the way out in one sentence, `notes` are facts behind it, `fix` what an editor can do at once."""

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    help: str | None = None
    notes: tuple[str, ...] = ()
    related: tuple[Label, ...] = ()
    fix: Fix | None = None
