"""A spec's file, read and written by the commands that change it: its text, and every byte that is not text as it was."""

import errno
import os
import stat
from contextlib import suppress
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

    @classmethod
    def of(cls, source: Source, data: bytes) -> "SpecFile":
        """`data`: the bytes that the text was read from."""
        return cls(source, data.startswith(_MARK))

    def encoded(self, text: str) -> bytes:
        return (_MARK if self.marked else b"") + text.encode()

    def write(self, text: str) -> None:
        """In one step: a reader sees the old file or the new one. Mode and owner stay, a link stays a link. Raises OSError."""
        place = Path(os.path.realpath(self.source.name))
        if not os.access(place, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))
        before = place.stat()
        beside = place.with_name(f".{place.name}.{os.getpid()}.tmp")
        try:
            with beside.open("xb") as stream:
                stream.write(self.encoded(text))
                stream.flush()
                os.fsync(stream.fileno())
            with suppress(OSError, AttributeError):  # only root may give a file away, and Windows knows no owners
                os.chown(beside, before.st_uid, before.st_gid)
            beside.chmod(stat.S_IMODE(before.st_mode))
            beside.replace(place)
        finally:
            beside.unlink(missing_ok=True)


def read_spec(name: str) -> SpecFile:
    """Raises UsageError where the file cannot be read, InvalidSpec where it is no text."""
    try:
        data = read_file(Path(name))
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}", help="check the path") from None
    text, wrong = decode(data, name)
    if wrong:
        raise InvalidSpec(wrong)
    return SpecFile.of(Source(name, text), data)
