"""Files and findings as other programs know them: paths from the repository's root, and a fingerprint that outlives a change of lines.

The services that show findings beside the code (GitHub, GitLab) count paths from the root of the repository, wherever the tool was started.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from distillc.spec.diagnostic import Diagnostic


def root(start: Path) -> Path:
    """The nearest parent that has `.git`, else `start`."""
    return next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), start)


def from_root(file: str) -> str | None:
    """The path of a file from the repository's root, with `/`; None for one that lies elsewhere."""
    here = Path.cwd()
    path = Path(os.path.normpath(here / file))
    top = root(here)
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else None


def fingerprints(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """One for each finding: its code, file and message, and a number where these are the same. Not its line: lines move."""
    from hashlib import sha256

    seen: dict[tuple[str, str, str], int] = {}
    found = []
    for diagnostic in diagnostics:
        file = diagnostic.span.file if diagnostic.span else ""
        key = (diagnostic.code, from_root(file) or file, diagnostic.message)
        seen[key] = seen.get(key, 0) + 1
        found.append(sha256("\0".join((*key, str(seen[key]))).encode("utf-8", "surrogateescape")).hexdigest())
    return found
