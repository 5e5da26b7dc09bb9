"""A spec's file, read and written by the commands that change it: its text, and every byte that is not text as it was."""

from dataclasses import dataclass
from pathlib import Path

from distillc.spec.errors import InvalidSpec, UsageError
from distillc.spec.source import Source, decode, read_file

_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SpecFile:
    source: Source
    marked: bool
    """Whether the file begins with a byte-order mark, which is no part of the text."""

    def write(self, text: str) -> None:
        Path(self.source.name).write_bytes((_MARK if self.marked else b"") + text.encode())


def read_spec(name: str) -> SpecFile:
    """Raises UsageError where the file cannot be read, InvalidSpec where it is no text."""
    try:
        data = read_file(Path(name))
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}", help="check the path") from None
    text, wrong = decode(data, name)
    if wrong:
        raise InvalidSpec(wrong)
    return SpecFile(Source(name, text), data.startswith(_MARK))
