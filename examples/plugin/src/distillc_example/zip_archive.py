"""One zip file with the exports and their evaluation. The same delivery gives the same bytes: fixed times, sorted names."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distillc.plugins.api.targets import Delivery
from distillc.spec.errors import StageFailed
from distillc_example.configs import ZipConfig

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a zip file can name


class ZipArchive:
    def __init__(self, config: ZipConfig) -> None:
        self.config = config

    def deliver(self, delivery: Delivery, out: Path) -> Mapping[str, Any]:
        """Writes `student.zip`. Raises StageFailed for an export whose name could leave the archive."""
        path = out / "student.zip"
        method = zipfile.ZIP_DEFLATED if self.config.compress else zipfile.ZIP_STORED
        with zipfile.ZipFile(path, "w", method) as archive:
            _write(archive, "evaluation.json", json.dumps(delivery.evaluation, indent=2, sort_keys=True).encode(), method)
            for name, model in sorted(delivery.exports.items()):
                if not name.replace("-", "").replace("_", "").isalnum():
                    raise StageFailed(f"the export {name!r} is no plain name", help="rename the quantize step")
                for file in sorted(model.folder.rglob("*")):
                    if file.is_file():
                        _write(archive, f"{name}/{file.relative_to(model.folder).as_posix()}", file.read_bytes(), method)
        return {"file": path.name, "bytes": path.stat().st_size}


def _write(archive: zipfile.ZipFile, name: str, content: bytes, method: int) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = method
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)
