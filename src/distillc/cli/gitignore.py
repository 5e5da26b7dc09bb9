"""What git would not look at, read from .gitignore files without running git: `gitignore(5)`, but for a user's own global patterns."""

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FILE = ".gitignore"
_ENDING_SPACES = re.compile(r"(?<!\\)[ ]+$")


class Pattern:
    """One line. `folder` is where it stands: it speaks of what is below."""

    __slots__ = ("folder", "folders_only", "negated", "regex", "whole_path")

    def __init__(self, folder: str, line: str) -> None:
        self.folder = folder
        self.negated = line.startswith("!")
        line = line[1:] if self.negated else line
        self.folders_only = line.endswith("/")
        line = line.rstrip("/")
        self.whole_path = "/" in line
        self.regex = re.compile(_regex(line.lstrip("/")))

    def matches(self, path: str) -> bool:
        """`path` is absolute, and below the pattern's folder."""
        relative = path[len(self.folder) :].strip(os.sep).replace(os.sep, "/")
        return self.regex.fullmatch(relative if self.whole_path else relative.rpartition("/")[2]) is not None


def patterns(folder: str, file: str | None = None) -> "list[Pattern]":
    """Those of a folder's .gitignore, or of another `file` that speaks of the folder. None where it cannot be read."""
    try:
        with open(file or f"{folder}{os.sep}{FILE}", encoding="utf-8", errors="replace") as stream:
            return list(_parsed(folder, stream))
    except OSError:
        return []


def is_ignored(path: str, is_folder: bool, known: "Sequence[Pattern]") -> bool:
    """By the last pattern that matches; those of deeper folders come later."""
    for pattern in reversed(known):
        if (is_folder or not pattern.folders_only) and pattern.matches(path):
            return not pattern.negated
    return False


def _parsed(folder: str, lines: "Iterator[str]") -> "Iterator[Pattern]":
    for line in lines:
        line = _ENDING_SPACES.sub("", line.rstrip("\r\n"))
        if line and not line.startswith("#") and line.strip("/!"):
            try:
                yield Pattern(folder, line)
            except re.error:  # `[z-a]` matches nothing
                continue


def _regex(line: str) -> str:
    """`*` stops at a slash, `**` between slashes does not."""
    out = ""
    at = 0
    while at < len(line):
        rest = line[at:]
        if rest.startswith("**/") and (at == 0 or line[at - 1] == "/"):
            out, at = out + "(?:.*/)?", at + 3
        elif rest == "**" and at and line[at - 1] == "/":
            out, at = out + ".+", at + 2
        elif rest[0] == "*":
            out, at = out + "[^/]*", at + 1
        elif rest[0] == "?":
            out, at = out + "[^/]", at + 1
        elif rest[0] == "[" and (closed := _class(rest)):
            out, at = out + closed[0], at + closed[1]
        else:
            at += rest[0] == "\\" and len(rest) > 1
            out, at = out + re.escape(line[at]), at + 1
    return out


def _class(rest: str) -> tuple[str, int] | None:
    """`[a-z]`, and how long it is; None for a bracket that is not closed."""
    end = rest.find("]", 3 if rest[1:2] in ("!", "^") else 2)
    if end < 0:
        return None
    inside = rest[1:end].replace("\\", r"\\").replace("[", r"\[")
    return ("[^/" + inside[1:] if inside[0] in "!^" else "[" + inside) + "]", end + 1
