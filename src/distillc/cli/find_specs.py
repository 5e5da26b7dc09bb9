"""Which specs are meant: files by name, those in a folder, or all of the repository around the working directory.

In folders, what git ignores is passed over, and what is somebody else's or was made; a file that is named is always taken.
"""

import os

from distillc.cli import gitignore
from distillc.spec.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from distillc.cli.gitignore import Pattern

SPEC_NAMES = ("distill.yaml", "distill.yml")
"""And whatever ends in a dot and one of them, such as `grammar.distill.yaml`."""
_ENDINGS = tuple(f".{name}" for name in SPEC_NAMES)
SKIPPED = frozenset({"node_modules", "dist", "build", "__pycache__", "site-packages", "venv"})
"""Folders that hold other people's files, or files that were made from ours."""


def asked_for(arguments: "list[str]") -> list[str]:
    """What a command is to look at: what was named, or all of the repository."""
    return named(arguments) if arguments else of_repository()


def named(arguments: "Iterable[str]") -> list[str]:
    """Each file itself, and the specs below each folder, each once; as paths that pathlib would write the same way."""
    found: dict[str, str] = {}
    for argument in arguments:
        for spec in _named(_plain(argument)):
            found.setdefault(os.path.realpath(spec), spec)
    return list(found.values())


def of_repository() -> list[str]:
    """Each spec below the nearest parent that has `.git`, else below the working directory. Raises UsageError when there is none."""
    here = os.getcwd()
    top = _repository(here) or here
    found = [os.path.relpath(spec, here) for spec in below(top)]
    if not found:
        raise UsageError(f"there is no {SPEC_NAMES[0]} here", where=top, help="name a file: distillc lint FILE")
    return found


def below(folder: str) -> list[str]:
    """In order of their paths, which begin with `folder`."""
    full = os.path.realpath(folder)
    top = _repository(full)
    known = None if top is None else _around(top, full)
    return sorted(path if folder == os.curdir else os.path.join(folder, path) for path in _walk(full, "", known))


def _named(name: str) -> list[str]:
    if not os.path.isdir(name):
        return [name]
    if not (found := below(name)):
        raise UsageError(f"there is no {SPEC_NAMES[0]} in this folder", where=name, help="name a file: distillc lint FILE")
    return found


def _plain(name: str) -> str:
    if os.sep == "/" and ".." not in name:
        return os.path.normpath(name)
    from pathlib import Path

    return str(Path(name))


def _repository(folder: str) -> str | None:
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def _around(top: str, folder: str) -> "list[Pattern]":
    """The patterns that stand above a folder, from the repository's top down."""
    found = gitignore.patterns(top, os.path.join(top, ".git", "info", "exclude"))
    at = top
    for part in (os.path.relpath(folder, top)).split(os.sep):
        if part == os.curdir or at == folder:
            break
        found += gitignore.patterns(at)
        at = os.path.join(at, part)
    return found


def _walk(folder: str, prefix: str, known: "list[Pattern] | None") -> "Iterator[str]":
    """The specs below a folder, relative to where the walk began. A folder that cannot be read has none; `known` None: no git here."""
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError:
        return
    if known is not None and any(entry.name == gitignore.FILE for entry in entries):
        known = [*known, *gitignore.patterns(folder)]
    for entry in entries:
        is_folder = entry.is_dir(follow_symlinks=False)
        if is_folder and (entry.name.startswith(".") or entry.name in SKIPPED):
            continue
        if (is_folder or f".{entry.name}".endswith(_ENDINGS)) and not (known and gitignore.is_ignored(entry.path, is_folder, known)):
            path = os.path.join(prefix, entry.name)
            if is_folder:
                yield from _walk(entry.path, path, known)
            else:
                yield path
