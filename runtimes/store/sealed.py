"""The manifest of a sealed artifact: which stage made it from what, and the digests of its files.

A manifest is immutable and is created once, after all of its blobs: whoever can read it can read them.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

SEALED_VERSION = 1
DIGEST = re.compile(r"[0-9a-f]{64}")
SHARD = "shard"
"""The `kind` of a part of a map: not an artifact of the plan, dropped by `gc` once its stage is sealed."""


def canonical(value: Any) -> str:
    """The one JSON text of a value. Raises ValueError for NaN and infinities, which JSON does not have."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class File:
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """`inputs` maps a port to the key of the manifest that entered, `digests` to its `digest`.

    `content_key` is what early cut-off looks for: the same work on inputs with the same digests.
    """

    key: str
    stage: str
    kind: str
    uses: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    content_key: str = ""

    @property
    def digest(self) -> str:
        """What a later stage can see of this artifact: the names and bytes of its files and its meta."""
        return sha256(canonical({"files": {name: file.sha256 for name, file in self.files.items()}, "meta": self.meta}))

    def to_json(self) -> str:
        """Canonical; one line and a newline, so that a torn write can't be valid."""
        return canonical({"distillc_manifest": SEALED_VERSION, **asdict(self)}) + "\n"


def from_json(text: str) -> Sealed:
    """Raises ValueError on text that is no manifest of this version."""
    data = json.loads(text)
    if not isinstance(data, dict) or data.pop("distillc_manifest", None) != SEALED_VERSION:
        raise ValueError(f"not a manifest of version {SEALED_VERSION}")
    try:
        files = {name: File(**file) for name, file in data.pop("files").items()}
        for name, file in files.items():
            # A store may come from somebody else: nothing that it says may lead out of a folder.
            parts = name.split("/")
            if not DIGEST.fullmatch(file.sha256) or "\\" in name or ":" in name or any(part in ("", ".", "..") for part in parts):
                raise ValueError(f"file {name!r} is not one that an artifact can have")
        return Sealed(files=files, **data)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not what a manifest says: {error}") from error
