"""Blobs on object storage, through `obstore`: S3, GCS, Azure, and a memory store for tests.

Creation is the storage's own conditional put (`If-None-Match: *`). What a library wants as a file comes through a local cache.
"""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from distillc.runtimes.store.blobs import LocalBlobs
from distillc.spec.errors import StageFailed


class ObjectBlobs:
    """`store` is any obstore store; `cache` a local folder, which may be deleted at any time.

    Every method raises StageFailed when the storage refuses or does not answer.
    """

    def __init__(self, store: Any, cache: Path) -> None:
        self._store = store
        self._cache = LocalBlobs(cache)

    def create(self, name: str, data: bytes | Path) -> bool:
        # Multipart uploads know no create mode in every backend; one put is atomic everywhere. S3 takes 5 GB in one.
        content = data if isinstance(data, bytes) else data.read_bytes()
        try:
            with _in_words():
                obstore.put(self._store, name, content, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        return True

    def read(self, name: str) -> bytes:
        try:
            with _in_words():
                return bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError:
            raise FileNotFoundError(errno.ENOENT, "no such blob", name) from None

    def size(self, name: str) -> int | None:
        try:
            with _in_words():
                return int(obstore.head(self._store, name)["size"])
        except FileNotFoundError:
            return None

    def path(self, name: str) -> Path:
        if self._cache.size(name) is None:
            self._cache.create(name, self.read(name))
        return self._cache.path(name)

    def names(self, prefix: str) -> Iterator[str]:
        with _in_words():
            names = [str(entry["path"]) for chunk in obstore.list(self._store, prefix=prefix.rstrip("/")) for entry in chunk]
        yield from sorted(names)

    def delete(self, name: str) -> None:
        if self.size(name) is not None:
            with _in_words():
                obstore.delete(self._store, name)
        self._cache.delete(name)


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """What obstore says first: a page of debug text follows it."""
    try:
        yield
    except AlreadyExistsError:
        raise
    except BaseError as error:
        reason = str(error).partition("\n")[0]
        help = "check its URL, the credentials in the environment and the network, then run the command again"
        raise StageFailed(f"the object store does not do what it is asked: {reason}", help=help) from error
