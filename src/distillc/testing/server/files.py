"""Files of the API, kept in a temporary folder so that a large one takes no memory."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from distillc.testing.server.script import Dialect


@dataclass(frozen=True, slots=True)
class Stored:
    file_id: str
    filename: str
    purpose: str
    created_at: int
    path: Path

    def told(self, dialect: Dialect) -> dict[str, object]:
        return {
            "id": self.file_id,
            "object": "file",
            "bytes": self.path.stat().st_size,
            "created_at": self.created_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": None if dialect == "nebius" else "processed",
            "expires_at": None,
            "status_details": None,
        }


class Files:
    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="distillc-server-")  # goes when nothing refers to it any more
        self._kept: dict[str, Stored] = {}

    def new_path(self, file_id: str) -> Path:
        return Path(self._folder.name) / file_id

    def keep(self, file_id: str, filename: str, purpose: str, created_at: int) -> Stored:
        """Enters the file that was written to `new_path(file_id)`."""
        self._kept[file_id] = Stored(file_id, filename, purpose, created_at, self.new_path(file_id))
        return self._kept[file_id]

    def find(self, file_id: object) -> Stored | None:
        return self._kept.get(file_id) if isinstance(file_id, str) else None

    def delete(self, file_id: str) -> None:
        self._kept.pop(file_id).path.unlink()

    def all(self) -> list[Stored]:
        return list(self._kept.values())
