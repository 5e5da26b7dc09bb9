"""Reads the header of a safetensors file: names, types and shapes of its tensors, never a weight.

The format: https://github.com/huggingface/safetensors#format. Eight bytes of length, then JSON of at most 10 MB (the reference
implementation's own limit is 100 MB; no header in use comes near ten).
"""

import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from distillc.spec.errors import UsageError

MAX_HEADER = 10 << 20
MAX_DIMENSIONS = 16
SIZES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1,
    "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1,
}  # fmt: skip


class BadSafetensors(UsageError):
    """Bytes that are no safetensors header, or one beyond the limits."""


@dataclass(frozen=True, slots=True)
class Header:
    """`shapes` by tensor name; `parameters` is the number of all their elements."""

    shapes: Mapping[str, tuple[int, ...]]
    types: Mapping[str, str]
    metadata: Mapping[str, str]

    @property
    def parameters(self) -> int:
        return sum(prod(shape) for shape in self.shapes.values())


def read_header(path: Path) -> Header:
    """Raises BadSafetensors on anything but a sound header."""
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            first = stream.read(8)
            length = struct.unpack("<Q", first)[0] if len(first) == 8 else size
            if not 2 <= length <= min(MAX_HEADER, size - 8):
                raise _bad(path, f"a header of {length} bytes in a file of {size}")
            text = stream.read(length)
    except OSError as error:
        raise BadSafetensors(f"{path.name} cannot be read: {error.strerror}", help="check the file and its rights") from error
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad(path, "its header is no JSON") from error
    if not isinstance(data, dict):
        raise _bad(path, "its header is no JSON object")
    return _checked(path, data, size - 8 - length)


def _checked(path: Path, data: Mapping[str, Any], room: int) -> Header:
    shapes: dict[str, tuple[int, ...]] = {}
    types: dict[str, str] = {}
    metadata = data.get("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _bad(path, "metadata that is not text")
    for name, entry in data.items():
        if name == "__metadata__":
            continue
        if not isinstance(entry, dict):
            raise _bad(path, f"no description of tensor {name[:80]!r}")
        shape, offsets, kind = _naturals(entry.get("shape")), _naturals(entry.get("data_offsets")), entry.get("dtype")
        if not isinstance(kind, str) or shape is None or len(shape) > MAX_DIMENSIONS or offsets is None or len(offsets) != 2:
            raise _bad(path, f"a wrong description of tensor {name[:80]!r}")
        begin, end = offsets
        if not begin <= end <= room:
            raise _bad(path, f"tensor {name[:80]!r} lies outside the file")
        if kind in SIZES and prod(shape) * SIZES[kind] != end - begin:
            raise _bad(path, f"tensor {name[:80]!r} has another size than its shape")
        shapes[name], types[name] = shape, kind
    return Header(shapes, types, metadata)


def _naturals(value: Any) -> tuple[int, ...] | None:
    """A list of sizes, or None for anything else."""
    return tuple(value) if isinstance(value, list) and all(type(item) is int and 0 <= item < 1 << 48 for item in value) else None


def _bad(path: Path, why: str) -> BadSafetensors:
    return BadSafetensors(f"{path.name} is no sound safetensors file: {why}", help="download or convert it again")
