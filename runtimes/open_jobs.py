"""Jobs on other machines that nobody here has seen the end of: their files must outlive a seal and `gc`, for who else could cancel them?

Reads the files that `remote/jobs.py` writes and nothing else, so that it can be asked where the extra `api` is not installed.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class OpenJob(NamedTuple):
    """`place` is the path of its list, `batches` say; `name` its id, or the token by which it is looked for there."""

    place: str
    name: str
    base_url: str

    def __str__(self) -> str:
        return f"{self.place} {self.name} at {self.base_url}"


def open_in(folder: Path) -> list[OpenJob]:
    """Those whose files lie under a folder: sent, and since then neither collected nor cancelled from here."""
    return [found for file in sorted(folder.rglob("*.job.json")) if (found := _open(file))]


def open_jobs(home: Path) -> Mapping[str, list[OpenJob]]:
    """Those of all work folders of a store, by the key of their stage."""
    found = {folder.name: open_in(folder) for folder in (home / "work").glob("*")}
    return {key: jobs for key, jobs in found.items() if jobs}


def _open(file: Path) -> OpenJob | None:
    try:
        job = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:  # a run that is at work has just collected it
        return None
    if job["request"] is None or job["about"].get("read") or job["about"].get("cancelled"):
        return None
    return OpenJob(job["place"].strip("/"), job["id"] or job["token"], job["base_url"])
