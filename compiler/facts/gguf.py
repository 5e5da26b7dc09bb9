"""Reads the header of a GGUF file: metadata and tensor count, with every length checked against the file before it is believed.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3. Little-endian only, as every file in use is.
"""

import hashlib
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from distillc.spec.errors import UsageError

MAGIC = b"GGUF"
MAX_KEYS = 65_536
MAX_TENSORS = 1_048_576
MAX_STRING = 16 << 20  # a chat template or merges line; the longest seen is 60 kB
MAX_KEY = 65_535  # the format's own limit
MAX_ITEMS = 4 << 20  # vocabularies in use have at most 262,144 tokens, and about as many merges
KEPT_ITEMS = 16  # longer arrays are digested, not kept: facts need no vocabulary
ARRAY, STRING, BOOL = 9, 8, 7
SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}


class BadGGUF(UsageError):
    """Bytes that are no GGUF header, or one beyond the limits."""


@dataclass(frozen=True, slots=True)
class LongArray:
    """An array that was read past: how many items, and sha256 over their bytes as they stand in the file."""

    items: int
    digest: str


@dataclass(frozen=True, slots=True)
class Header:
    """`metadata` has plain values, tuples for short arrays and `LongArray` for long ones."""

    version: int
    tensors: int
    metadata: Mapping[str, Any]


def read_header(path: Path) -> Header:
    """Raises BadGGUF on anything but a sound header; never reads more than the header, never past the end."""
    try:
        with path.open("rb") as stream:
            return _Reader(stream, path).header()
    except OSError as error:
        raise BadGGUF(f"{path.name} cannot be read: {error.strerror}", help="check the file and its rights") from error


class _Reader:
    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self.stream = stream
        self.path = path
        self.left = os.fstat(stream.fileno()).st_size

    def fail(self, why: str) -> NoReturn:
        raise BadGGUF(f"{self.path.name} is no sound GGUF file: {why}", help="download or convert it again")

    def take(self, count: int) -> bytes:
        if count > self.left:
            self.fail(f"it ends {count - self.left} bytes too early")
        data = self.stream.read(count)
        if len(data) != count:
            self.fail("it ended while it was read")
        self.left -= count
        return data

    def number(self, code: str) -> Any:
        return struct.unpack(code, self.take(struct.calcsize(code)))[0]

    def header(self) -> Header:
        if self.left < 24 or self.take(4) != MAGIC:
            self.fail("it does not begin with GGUF")
        version = self.number("<I")
        if version not in (2, 3):
            self.fail(f"version {version} is not one of 2, 3")
        tensors, keys = self.number("<Q"), self.number("<Q")
        if tensors > MAX_TENSORS:
            self.fail(f"{tensors} tensors, more than {MAX_TENSORS}")
        if keys > MAX_KEYS:
            self.fail(f"{keys} metadata keys, more than {MAX_KEYS}")
        metadata: dict[str, Any] = {}
        for _ in range(keys):
            name = self.text(MAX_KEY)
            if name in metadata:
                self.fail(f"the key {name!r} stands there twice")
            metadata[name] = self.value(self.number("<I"))
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 8 <= alignment <= 65_536 or alignment % 8:
            self.fail(f"an alignment of {alignment!r}")
        return Header(version, tensors, metadata)

    def text(self, limit: int) -> str:
        return self.chunk(limit).decode("utf-8", "replace")

    def chunk(self, limit: int) -> bytes:
        length = self.number("<Q")
        if length > limit:
            self.fail(f"a string of {length} bytes, more than {limit}")
        return self.take(length)

    def value(self, kind: int) -> Any:
        if kind == STRING:
            return self.text(MAX_STRING)
        if kind == ARRAY:
            return self.array()
        return self.scalar(kind)

    def scalar(self, kind: int) -> Any:
        if kind == BOOL:
            byte = self.take(1)
            if byte not in (b"\0", b"\1"):
                self.fail("a boolean that is neither 0 nor 1")
            return byte == b"\1"
        if kind not in SCALARS:
            self.fail(f"a value of unknown type {kind}")
        return self.number(SCALARS[kind])

    def array(self) -> Any:
        kind, count = self.number("<I"), self.number("<Q")
        if kind == ARRAY:
            self.fail("an array inside an array")
        if count > MAX_ITEMS:
            self.fail(f"an array of {count} items, more than {MAX_ITEMS}")
        if kind != STRING and kind not in SCALARS:
            self.fail(f"an array of unknown type {kind}")
        if count <= KEPT_ITEMS:
            return tuple(self.value(kind) for _ in range(count))
        total = hashlib.sha256()
        if kind == STRING:
            for _ in range(count):
                item = self.chunk(MAX_STRING)
                total.update(struct.pack("<Q", len(item)) + item)
        else:
            total.update(self.take(count * struct.calcsize(SCALARS[kind])))
        return LongArray(count, total.hexdigest())
