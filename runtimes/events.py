"""The one log of a run: a line of JSON an event, written by the driver and by every worker.

`{"time": seconds, "event": "shard sealed", "stage": "answers", …}`. Progress, reports and trackers all read it; nothing is
decided from it. A line is one `write` to a file opened for appending, so several processes may share it.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class EventLog:
    """Appends to one file. Safe from several processes on a local file system; a line that can't be written is let go."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def emit(self, event: str, **fields: Any) -> dict[str, Any]:
        """Returns what was written. A full disk stops the work itself, with its own message, not the log of it."""
        entry = {"time": round(time.time(), 3), "event": event, **fields}
        with contextlib.suppress(OSError):
            os.write(self._fd, (json.dumps(entry, ensure_ascii=False, default=str) + "\n").encode())
        return entry

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """The events in the order of the file. A line that a kill tore is passed over."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and "event" in entry:
                yield entry
