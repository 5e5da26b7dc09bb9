"""One file of the language as text: offsets to lines and columns, spans, lines for excerpts.

Lines and columns count characters from 1, as editors do; only `\\n`, `\\r\\n` and `\\r` end a line.
"""

import errno
import os
import re
import stat
from bisect import bisect_right
from itertools import accumulate
from typing import Final

from distillc.spec.diagnostic import Diagnostic, Severity, Span

TYPE_CHECKING = False  # as in typing: a `lint` that knows its answer needs texts, and no more
if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1_000_000
MAX_LINES = 100_000
PATIENCE = 5
"""Seconds that a pipe may be silent."""
_BREAK = re.compile(r"\r\n|\r|\n")


def _line_starts(text: str) -> tuple[int, ...]:
    lone = text.count("\r") - text.count("\r\n")
    if lone == 0 or "\n" not in text:  # one kind of line end, as nearly every file has
        lines = text.split("\r" if lone else "\n")
        lines.pop()  # nothing starts after the last one
        return tuple(accumulate(map(len, lines), lambda start, length: start + length + 1, initial=0))
    return (0, *(match.end() for match in _BREAK.finditer(text)))


class Source:
    """`name` is the path as the user wrote it: what spans and messages show. `starts`: the offset of each line."""

    def __init__(self, name: str, text: str) -> None:
        self.name: Final = name
        self.text: Final = text
        self.starts: Final = _line_starts(text)

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


def read_file(path: "Path") -> bytes:
    """The bytes of a spec, or one more than the limit of a larger file (`decode` reports it). Raises OSError.

    Of a pipe or a device too (`lint <(generate)`), but none is waited for longer than PATIENCE: a pipe may have nobody at its other end.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        parts: list[bytes] = []
        left = MAX_BYTES + 1
        while left > 0 and (part := _read(descriptor, left, may_be_early=pipe and not parts)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def _read(descriptor: int, size: int, *, may_be_early: bool) -> bytes:
    """What is there by now, waiting for it; empty at the end. `may_be_early`: a pipe that nobody has opened yet ends at once too."""
    while True:
        try:
            part = os.read(descriptor, size)
            if part or not may_be_early:
                return part
        except BlockingIOError:
            pass
        import select

        if not select.select([descriptor], [], [], PATIENCE)[0]:
            raise TimeoutError(errno.ETIMEDOUT, f"nothing came out of it for {PATIENCE} s, and it is no file")
        may_be_early = False


def decode(data: bytes, name: str) -> tuple[str, list[Diagnostic]]:
    """The text of a file, and what is wrong with its bytes. With findings the text is empty; a byte-order mark is dropped."""
    if len(data) > MAX_BYTES:
        return "", [too_large(name)]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = Source(name, data[: error.start].decode("utf-8-sig", "replace"))
        span = good.span(len(good.text), len(good.text))
        utf_16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        message = "the file is UTF-16" if utf_16 else f"byte 0x{data[error.start]:02x} is not UTF-8"
        return "", [Diagnostic("D002", Severity.ERROR, message, span, help="save the file as UTF-8")]
    if max(text.count("\n"), text.count("\r")) > MAX_LINES:
        return "", [too_large(name, f"{MAX_LINES:,} lines")]
    return text, []


def too_large(name: str, limit: str = f"{MAX_BYTES:,} bytes") -> Diagnostic:
    message = f"the file has more than {limit}"
    return Diagnostic("D004", Severity.ERROR, message, Span(name, 1, 1, 1, 1), help="keep data in data files, and name them in the spec")
