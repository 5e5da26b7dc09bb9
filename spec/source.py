"""One file of the language as text: offsets to lines and columns, spans, lines for excerpts.

Lines and columns count characters from 1, as editors do; only `\\n`, `\\r\\n` and `\\r` end a line.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from distillc.spec.diagnostic import Diagnostic, Severity, Span

MAX_BYTES = 1_000_000
_BREAK = re.compile(r"\r\n|\r|\n")


def _line_starts(text: str) -> tuple[int, ...]:
    return (0, *(match.end() for match in _BREAK.finditer(text)))


@dataclass(frozen=True, slots=True)
class Source:
    """`name` is the path as the user wrote it: what spans and messages show."""

    name: str
    text: str
    starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", _line_starts(self.text))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character offset, both from 1."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def span(self, start: int, end: int) -> Span:
        line, column = self.position(start)
        end_line, end_column = self.position(max(start, end))
        return Span(self.name, line, column, end_line, end_column)

    def offset(self, line: int, column: int) -> int:
        """The character offset of a place; the end of the text for a place beyond it."""
        return min(self.starts[line - 1] + column - 1, len(self.text)) if 1 <= line <= len(self.starts) else len(self.text)

    def line(self, number: int) -> str:
        """The text of a line without its end; empty for a number that the file does not have."""
        if not 1 <= number <= len(self.starts):
            return ""
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : end].rstrip("\r\n")


def is_override(name: str) -> bool:
    """Whether a source is what stood behind `--set` on the command line, and no file."""
    return name == "--set" or name.startswith("--set#")


def read_file(path: Path) -> bytes:
    """The bytes of a spec, or one more than the limit of a larger file (`decode` reports it). Raises OSError."""
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def decode(data: bytes, name: str) -> tuple[str, list[Diagnostic]]:
    """The text of a file, and what is wrong with its bytes. With findings the text is empty; a byte-order mark is dropped."""
    if len(data) > MAX_BYTES:
        return "", [too_large(name)]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        good = Source(name, data[: error.start].decode("utf-8-sig", "replace"))
        span = good.span(len(good.text), len(good.text))
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        return "", [Diagnostic("D002", Severity.ERROR, message, span, help="save the file as UTF-8")]


def too_large(name: str) -> Diagnostic:
    message = f"the file has more than {MAX_BYTES:,} bytes"
    return Diagnostic("D004", Severity.ERROR, message, Span(name, 1, 1, 1, 1), help="keep data in data files, and name them in the spec")
