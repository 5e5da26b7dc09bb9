"""The run lock: one driver at a time works in a home.

The system holds it for the process and drops it when the process ends, however it ends, so no lock is ever stale: the file that
a killed driver left behind is simply taken.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from distillc.spec.errors import UsageError


@contextlib.contextmanager
def run_lock(home: Path, run: str) -> Iterator[None]:
    """Raises UsageError, naming the other process, when another driver holds the lock."""
    home.mkdir(parents=True, exist_ok=True)
    fd = os.open(home / "run.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _take(fd):
            raise UsageError(
                f"another run is at work here: {_holder(fd)}",
                where=str(home),
                help="wait for it, stop it, or use another store: --store FOLDER",
            )
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
        os.write(fd, json.dumps({"pid": os.getpid(), "run": run}).encode())
        yield
    finally:
        os.close(fd)


def held(home: Path) -> bool:
    """Whether a driver is at work in this home now."""
    path = home / "run.lock"
    if not path.exists():
        return False
    fd = os.open(path, os.O_RDWR)
    try:
        return not _take(fd)
    finally:
        os.close(fd)


def holder(home: Path) -> tuple[str, int] | None:
    """The run that is at work in this home now, and its process."""
    if not held(home):
        return None
    try:
        data = json.loads((home / "run.lock").read_text(encoding="utf-8"))
        return str(data["run"]), int(data["pid"])
    except (OSError, ValueError, KeyError):
        return None


def _take(fd: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(fd, 1 << 30, os.SEEK_SET)  # far behind the text, which others may still read
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _holder(fd: int) -> str:
    os.lseek(fd, 0, os.SEEK_SET)
    try:
        data = json.loads(os.read(fd, 4096))
        return f"run {data['run']}, process {data['pid']}"
    except (OSError, ValueError, KeyError):
        return "its lock names nobody"
