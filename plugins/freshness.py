"""Whether what was kept about the installed plugins still holds, told by folders and files. Loads no plugin, imports next to nothing.

The registry's manifest cache and the linter's cache of results ask the same questions here.
"""

import os
import sys

TYPE_CHECKING = False  # as in typing, which alone costs as much as a bare interpreter
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

Stamp = list["Any"]
"""A path, the time of its last change in nanoseconds, and its size; of a folder, without the size. A list, as JSON gives it back."""


def cache_folder() -> str:
    """Where this user's caches live: DISTILLC_CACHE, else the platform's place for caches."""
    # os.path and not pathlib, whose import costs as much as a bare interpreter.
    join, home = os.path.join, os.path.expanduser("~")
    if override := os.environ.get("DISTILLC_CACHE"):
        return override
    if sys.platform == "win32":
        return join(os.environ.get("LOCALAPPDATA") or join(home, "AppData", "Local"), "distillc", "cache")
    if sys.platform == "darwin":
        return join(home, "Library", "Caches", "distillc")
    return join(os.environ.get("XDG_CACHE_HOME") or join(home, ".cache"), "distillc")


def interpreter() -> "list[Any]":
    """Who looks for plugins, and where: another of these may find others."""
    return [sys.version, sys.prefix, sys.path, os.environ.get("DISTILLC_PLUGINS"), __file__]


def watched_folders() -> list[Stamp]:
    """The folders of `sys.path` with their times: installing or removing a distribution changes one of them."""
    # Debian calls the folder of its own packages dist-packages.
    folders = [path for path in dict.fromkeys(sys.path) if "-packages" in path and os.path.isdir(path)]
    return [[path, os.stat(path).st_mtime_ns] for path in folders]


def stamp(path: str) -> Stamp:
    """Raises OSError."""
    status = os.stat(path)
    return [path, status.st_mtime_ns, status.st_size]


def unchanged(stamps: "Iterable[Stamp]") -> bool:
    try:
        return all(stamp(known[0]) == known for known in stamps)
    except OSError:
        return False
