"""The front end (lint, fixes, `set`, the forms of findings) on one input, which it answers with findings, whatever it is.

An input is the text of a spec, then what `--set` and `set` are given, with NUL between them.
"""

import contextlib
import random
import re
from pathlib import Path

from distillc.cli.set import edited
from distillc.compiler.lint import lint_file
from distillc.plugins.registry import load as load_plugins
from distillc.spec.edit import mend
from distillc.spec.errors import InvalidSpec, UsageError
from distillc.spec.lint import Linted
from distillc.spec.render import FORMATS, render
from distillc.spec.resolve import Read
from distillc.spec.source import Source, decode

ROOT = Path(__file__).resolve().parents[2]
SEEDS = sorted((*ROOT.glob("tests/diagnostics/**/*.yaml"), *ROOT.glob("examples/*/distill.yaml")))
NAME = "distill.yaml"
TABLE = load_plugins()
SECTIONS = TABLE.language_schema()["properties"]
WORDS = (b"", b"null", b"{}", b"[]", b"*a", b"&a x", b"<<", b"9" * 5000)
WORD = re.compile(rb"[\w.$*&{}\[\]'\"-]+")


def front_end(data: bytes) -> None:
    """Raises where the front end does, and where it contradicts itself."""
    spec, *rest = data.split(b"\0")
    given = [part.decode("utf-8", "replace") for part in rest[:4]]

    def read(path: Path) -> bytes:
        if str(path) == NAME:
            return spec
        raise FileNotFoundError(2, "No such file or directory", str(path))

    def lint(name: str, read: Read) -> Linted:
        return lint_file(Path(name), TABLE, None, given, every_profile=True, read=read)

    linted = lint(NAME, read)
    for finding in linted.diagnostics:
        place = finding.span
        source = linted.sources.get(NAME)
        if place and place.file == NAME and source and source.text:  # bytes that are no text have a place, and no text to show
            assert (place.line, place.column) <= (place.end_line, place.end_column) <= (len(source.starts) + 1, 1 << 20), finding
            assert place.column <= len(source.line(place.line)) + 2, finding
    for form in FORMATS:
        assert "\x1b" not in render(form, linted.diagnostics, linted.sources)
    for unsafe in (False, True):
        assert not mend([NAME], lint, read, str, unsafe=unsafe).refused
    text, wrong = decode(spec, NAME)
    if not wrong:
        for changes, taken in ((given, ()), ((), [part.partition("=")[0] for part in given])):
            with contextlib.suppress(UsageError, InvalidSpec):
                edited(Source(NAME, text), changes, taken, SECTIONS, linted.resolved)


def mutated(data: bytes, pieces: list[bytes], chance: random.Random) -> bytes:
    """A line or a word of a spec moved, doubled, dropped, or taken from another spec."""
    if chance.random() < 0.5:
        lines = data.splitlines(keepends=True) or [b""]
        at = chance.randrange(len(lines))
        other = chance.choice(chance.choice(pieces).splitlines(keepends=True) or [b""])
        lines[at : at + 1] = chance.choice(([], [lines[at]] * 2, [other, lines[at]], [b" " + lines[at]], [chance.choice(lines)]))
        return b"".join(lines)
    words = [found.span() for found in WORD.finditer(data)]
    if not words:
        return data + chance.choice(pieces)
    (start, end), (first, last) = chance.choice(words), chance.choice(words)
    others = WORD.findall(chance.choice(pieces)) or [b""]
    word = chance.choice((data[first:last], chance.choice(others), b"${" + data[first:last] + b"}", *WORDS))
    return data[:start] + word + data[end:]
