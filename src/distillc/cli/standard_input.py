"""`distillc lint -`: a spec that an editor or a pipe hands over, and that goes back the same way when it is fixed."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from distillc.cli.spec_file import SpecFile
from distillc.spec.edit import Change
from distillc.spec.errors import UsageError
from distillc.spec.source import Source, read_file

NAME = "<stdin>"


@dataclass(frozen=True, slots=True)
class StandardInput:
    """`name` is that of the file that the text is to be taken for; whatever it extends is read from beside it."""

    name: str
    data: bytes

    def read(self, path: Path) -> bytes:
        return self.data if path == Path(self.name) else read_file(path)

    def give_back(self, changes: Sequence[Change]) -> None:
        """The fixed text on standard output; without a change, every byte as it came."""
        for change in changes:
            sys.stdout.buffer.write(SpecFile.of(Source(self.name, change.before), self.data).encoded(change.after))
        if not changes:
            sys.stdout.buffer.write(self.data)
        sys.stdout.buffer.flush()


def from_standard_input(name: str | None, files: Sequence[str]) -> StandardInput:
    if list(files) not in ([], ["-"]):
        raise UsageError("`-` and --stdin-filename take one text from standard input, and no files", help="distillc lint - < FILE")
    if sys.stdin is None:
        raise UsageError("there is no standard input", help="name a file: distillc lint FILE")
    return StandardInput(name or NAME, sys.stdin.buffer.read())
