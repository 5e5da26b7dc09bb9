"""Named bytes that are written once: the small face that the store needs of files and of object storage.

Both keep three promises (tests/unit/runtimes/store/test_blobs.py): a name that can be seen is complete; of two writers of one
name the first wins and the second learns it; nothing relies on rename, or on listing, for visibility.
"""

import contextlib
import errno
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from uuid import uuid4

# What file systems without hard links answer: FAT, some network and overlay mounts, or a file with too many links.
LINK_REFUSED = frozenset({errno.EPERM, errno.EACCES, errno.EXDEV, errno.EMLINK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})


class Blobs(Protocol):
    """Names are relative posix paths (`blobs/…`, `manifests/…`)."""

    def create(self, name: str, data: bytes | Path) -> bool:
        """Writes if the name is free: True. False if it was taken; what is there stays. A file must not change after it was given."""
        ...

    def read(self, name: str) -> bytes:
        """Raises FileNotFoundError."""
        ...

    def size(self, name: str) -> int | None:
        """Bytes, or None if there is no such name."""
        ...

    def path(self, name: str) -> Path:
        """A local, read-only file with the bytes. Raises FileNotFoundError."""
        ...

    def names(self, prefix: str) -> Iterator[str]:
        """For `verify`, `gc` and rebuilding an index: never to decide whether a name is there."""
        ...

    def delete(self, name: str) -> None:
        """No error if it is gone already."""
        ...


class LocalBlobs:
    """Files below a folder. `links=False` behaves as on a file system without hard links."""

    def __init__(self, root: Path, *, links: bool = True) -> None:
        self.root = root
        self._links = links
        self._pending = root / "tmp"
        self._made: set[Path] = set()

    def create(self, name: str, data: bytes | Path) -> bool:
        target = self.root / name
        if target.exists():
            return False
        self._folder(target.parent)
        if isinstance(data, Path) and self._link(data, target):
            return True
        if target.exists():
            return False
        self._folder(self._pending)
        pending = self._pending / uuid4().hex
        try:
            with pending.open("xb") as file:
                if isinstance(data, bytes):
                    file.write(data)
                else:
                    with data.open("rb") as source:
                        shutil.copyfileobj(source, file, 1 << 20)
                file.flush()
                os.fsync(file.fileno())
            protect(pending)
            return self._publish(pending, target)
        finally:
            pending.unlink(missing_ok=True)

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def size(self, name: str) -> int | None:
        try:
            return (self.root / name).stat().st_size
        except FileNotFoundError:
            return None

    def path(self, name: str) -> Path:
        path = self.root / name
        if not path.exists():
            raise FileNotFoundError(errno.ENOENT, "no such blob", name)
        return path

    def names(self, prefix: str) -> Iterator[str]:
        folder = self.root / prefix
        if folder.is_dir():
            yield from (f"{prefix.rstrip('/')}/{path.name}" for path in sorted(folder.iterdir()) if path.is_file())

    def delete(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self.root / name).unlink()

    def _folder(self, folder: Path) -> None:
        if folder not in self._made:
            folder.mkdir(parents=True, exist_ok=True)
            self._made.add(folder)

    def _link(self, source: Path, target: Path) -> bool:
        """True if the target is now the source's own bytes, made durable and read-only first. False: taken, or links are refused."""
        if not self._links:
            return False
        sync(source)
        protect(source)
        try:
            os.link(source, target)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno in LINK_REFUSED:
                return False
            raise
        return True

    def _publish(self, pending: Path, target: Path) -> bool:
        if self._links:
            try:
                os.link(pending, target)
                return True
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in LINK_REFUSED:
                    raise
        # Without links there is no atomic create of a whole file. The one driver that holds the run lock is the only writer of
        # a store on such a file system, and what a kill leaves half written is shorter than its manifest says: see Store._put.
        try:
            with target.open("xb") as file, pending.open("rb") as source:
                shutil.copyfileobj(source, file, 1 << 20)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            return False
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        protect(target)
        return True


def sync(path: Path) -> None:
    """Makes a file's bytes durable. Windows does that only for who may write to it."""
    fd = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def protect(path: Path) -> None:
    """Takes the right to write away, against a plugin's slip. Not on Windows: there such a file could not be deleted any more."""
    if sys.platform != "win32":
        path.chmod(0o444)
