"""A folder of small files that are whole or count as missing: what may be made again, kept for speed alone.

Several processes may use it at once. It has a bound; what was used longest ago goes first.
"""

import os
from hashlib import sha256
from time import time

MAX_ENTRY = 256 * 1024
MAX_ENTRIES = 512
MAX_ALL = 8 * 1024 * 1024
_DAY = 86_400


def load(folder: str, key: str) -> bytes | None:
    """What was kept under a key; None where nothing was, or something that is not ours or not whole."""
    path = f"{folder}{os.sep}{key}"
    try:
        with open(path, "rb") as stream:
            digest, _, body = stream.read(MAX_ENTRY + 100).partition(b"\n")
        if digest != _digest(key, body):
            return None
        if os.stat(path).st_mtime < time() - _DAY:
            os.utime(path)
    except OSError:
        return None
    return body


def store(folder: str, key: str, body: bytes) -> None:
    """That it cannot be written, or is too large, is no error."""
    if len(body) > MAX_ENTRY:
        return
    path = f"{folder}{os.sep}{key}"
    partial = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(partial, "xb") as stream:
            stream.write(_digest(key, body) + b"\n" + body)
        os.replace(partial, path)
        _prune(folder)
    except OSError:
        _remove(partial)


def _digest(key: str, body: bytes) -> bytes:
    """With the key in it, so that no entry is taken for another."""
    return sha256(key.encode() + b"\n" + body).hexdigest().encode()


def _prune(folder: str) -> None:
    with os.scandir(folder) as found:
        entries = sorted((status.st_mtime_ns, status.st_size, entry.path) for entry in found for status in [entry.stat()])
    left, total = len(entries), sum(size for _, size, _ in entries)
    if left <= MAX_ENTRIES and total <= MAX_ALL:
        return
    for _, size, path in entries:
        if left <= MAX_ENTRIES * 3 // 4 and total <= MAX_ALL * 3 // 4:  # not at each entry again
            return
        _remove(path)
        left, total = left - 1, total - size


def _remove(path: str) -> None:
    try:  # noqa: SIM105 - contextlib is no import for a warm path
        os.unlink(path)
    except OSError:
        pass
