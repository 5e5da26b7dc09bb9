"""What `lint` said before: a spec for which nothing has changed is answered without YAML, rules or schema.

An answer is never stale, because all that it depends on is part of its key, or is compared again before it is given:

    key        the spec's path and bytes, the options, the interpreter with its folders of packages, each file of our own code
    compared   the bytes of the specs that it extends, or the error of reading them; the lock; the files that plugins came from

This module is what a warm `lint` costs: it imports next to nothing, and takes os.path for that reason.
"""

import json
import os
from hashlib import sha256

import distillc
from distillc.cli import kept
from distillc.plugins import freshness

TYPE_CHECKING = False  # as in typing, which alone costs as much as a bare interpreter
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from distillc.spec.diagnostic import Diagnostic
    from distillc.spec.lint import Linted
    from distillc.spec.resolve import Read
    from distillc.spec.source import Source

FORMAT = 2
CODE = ("cli", "compiler", "plugins", "spec")
"""The parts of distillc whose files a finding may depend on."""
MAX_BYTES = 1_000_000  # of a spec, as in spec/source.py
LOCK = "distill.lock"
NO_FILE = -1
"""In place of the number of an error: no reading gives it, so no state is equal to it."""

State = str
"""What reading a file gave: the digest of its bytes, or the number of the error."""


class Answer:
    """What was found in a spec. Made into findings and texts when they are asked for."""

    __slots__ = ("_findings", "_texts", "waiting")

    def __init__(self, findings: "list[list[Any]]", texts: "dict[str, bytes]", waiting: "list[str]") -> None:
        self._findings = findings
        self._texts = texts
        self.waiting = frozenset(waiting)

    def __len__(self) -> int:
        return len(self._findings)

    @property
    def diagnostics(self) -> "list[Diagnostic]":
        return [_diagnostic(finding) for finding in self._findings]

    @property
    def sources(self) -> "dict[str, Source]":
        from distillc.spec.source import Source, decode

        return {name: Source(name, decode(data, name)[0]) for name, data in self._texts.items()}


class Watched:
    """Reads for the linter and remembers what it read. `torn`: a file changed in between, so that nothing can be kept."""

    def __init__(self, read: "Read", texts: "dict[str, bytes]", states: "dict[str, State]") -> None:
        """`texts` have been read before."""
        self._read = read
        self._texts = texts
        self.states = states
        self.torn = False

    def __call__(self, path: "Path") -> bytes:
        name = str(path)
        if name in self._texts:
            return self._texts[name]
        try:
            data = self._read(path)
        except OSError as error:
            self._saw(name, _failed(error))
            raise
        self._saw(name, _digest(data))
        return data

    def _saw(self, name: str, state: State) -> None:
        self.torn = self.torn or self.states.setdefault(name, state) != state


class LintCache:
    """`options` are those that an answer depends on."""

    def __init__(self, options: "Sequence[Any]") -> None:
        self.folder = f"{freshness.cache_folder()}{os.sep}lint"
        self._options = list(options)
        self._environment = environment()
        self._asked: dict[str, tuple[str, bytes, State]] = {}
        self._new: dict[str, tuple[Linted, dict[str, State]]] = {}

    def find(self, name: str) -> Answer | None:
        """The answer for the spec at `name`; None where it has to be linted."""
        try:
            content = _content(name)
        except OSError:
            return None
        if self._environment is None or len(content) > MAX_BYTES:
            return None
        told = json.dumps([self._environment, os.getcwd(), name, self._options])
        key = sha256(told.encode() + b"\0" + content).hexdigest()
        self._asked[name] = key, content, _state(lock_of(name))
        body = kept.load(self.folder, key)
        if body is None:
            return None
        entry = json.loads(body)
        texts = {name: content}
        for path, state in entry["files"]:
            try:
                texts[path] = _content(path)
            except OSError as error:
                if _failed(error) != state:
                    return None
            else:
                if _digest(texts[path]) != state:
                    return None
        texts.pop(lock_of(name), None)
        return Answer(entry["findings"], texts, entry["waiting"]) if freshness.unchanged(entry["stamps"]) else None

    def watched(self, name: str, read: "Read") -> Watched:
        """What the linter is to read with, so that `keep` knows what it saw."""
        if name not in self._asked:
            return Watched(read, {}, {})
        _, content, lock = self._asked[name]
        return Watched(read, {name: content}, {lock_of(name): lock})

    def keep(self, name: str, linted: "Linted", watched: Watched) -> None:
        """To be written by `write`. Only what did not change while it was looked at is kept."""
        lock = lock_of(name)
        if name in self._asked and not watched.torn and _state(lock) == watched.states[lock]:
            self._new[self._asked[name][0]] = linted, watched.states

    def write(self) -> None:
        if not self._new:
            return
        from distillc.plugins.registry import read_cache

        plugins = read_cache()
        if plugins is None or environment() != self._environment:
            return
        own = os.path.dirname(distillc.__file__) + os.sep
        stamps = [stamp for stamp in plugins["files"] if not stamp[0].startswith(own)]
        for key, (linted, states) in self._new.items():
            entry = {
                "files": list(states.items()),
                "stamps": stamps,
                "findings": linted.diagnostics,
                "waiting": sorted(linted.waiting),
            }
            kept.store(self.folder, key, json.dumps(entry, separators=(",", ":")).encode())


def environment() -> str | None:
    """What all answers depend on. None where our own code cannot be looked at, as inside of a zip file."""
    files: list[list[Any]] = []
    try:
        for part in CODE:
            _walk(f"{os.path.dirname(distillc.__file__)}{os.sep}{part}", files)
        told = [FORMAT, distillc.__version__, freshness.interpreter(), freshness.watched_folders(), sorted(files)]
    except OSError:
        return None
    return sha256(json.dumps(told).encode()).hexdigest()


def lock_of(name: str) -> str:
    """The lock beside a spec."""
    return name[: len(name) - len(os.path.basename(name))] + LOCK


def _walk(folder: str, files: "list[list[Any]]") -> None:
    with os.scandir(folder) as found:
        for entry in found:
            if not entry.is_dir():
                status = entry.stat()
                files.append([entry.path, status.st_mtime_ns, status.st_ctime_ns, status.st_size])
            elif entry.name != "__pycache__":
                _walk(entry.path, files)


def _content(path: str) -> bytes:
    """Of a file. A pipe can be read but once, and a device may have no end: what is read of them is never kept. Raises OSError."""
    if not os.path.isfile(path):
        os.stat(path)  # raises where there is nothing
        raise OSError(NO_FILE, "not a file")
    with open(path, "rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _state(path: str) -> State:
    try:
        return _digest(_content(path))
    except OSError as error:
        return _failed(error)


def _digest(data: bytes) -> State:
    return sha256(data).hexdigest()


def _failed(error: OSError) -> State:
    return f"error {error.errno}"


def _diagnostic(data: "list[Any]") -> "Diagnostic":
    """A finding and all that is in it are named tuples, which JSON makes lists of."""
    from distillc.spec.diagnostic import Applicability, Diagnostic, Edit, Fix, Label, Severity, Span

    finding = Diagnostic(*data)
    fix = finding.fix and Fix(*finding.fix)
    return finding._replace(
        severity=Severity(finding.severity),
        span=finding.span and Span(*finding.span),
        notes=tuple(finding.notes),
        related=tuple(Label(Span(*span), message) for span, message in finding.related),
        fix=fix and Fix(fix.message, tuple(Edit(Span(*span), text) for span, text in fix.edits), Applicability(fix.applicability)),
    )
