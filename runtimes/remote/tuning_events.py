"""What a tuning job tells of itself while it runs: a courtesy, without which it goes on just as well."""

from collections.abc import Mapping
from typing import Any

from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.failures import Rejected
from distillc.runtimes.remote.files import listed

NO_SUCH_PAGE = (404, 405, 501)
"""What an API says that has no such list."""


class Events:
    """The events of a job, each once. Of those told already no more is fetched than a page.

    Some APIs list the newest first, as OpenAI's does, and some the oldest; the first list with two times in it tells which. The one is read
    up to an event that is known, the other from the last one on.
    """

    def __init__(self, client: Client, path: str) -> None:
        self._client, self._path = client, path
        self._seen: set[str] = set()
        self._newest_first = False
        self._last: str | None = None  # of a list that begins with the oldest
        self._there = True

    async def new(self) -> list[Mapping[str, Any]]:
        """Those since the last time, the oldest first. Raises StageFailed where they are not to be had now; a list that there is not is
        asked for once."""
        if not self._there:
            return []
        try:
            found = await self._unknown()
        except Rejected as error:
            self._there = error.status not in NO_SUCH_PAGE
            raise
        self._seen.update(map(_id, found))
        if found and _time(found[0]) > _time(found[-1]):
            self._newest_first = True
        elif found and (self._last or _time(found[0]) < _time(found[-1])):
            self._last = _id(found[-1])
        return sorted(found, key=lambda event: (_time(event), _id(event)))

    async def _unknown(self) -> list[Mapping[str, Any]]:
        found = []
        async for event in listed(self._client, self._path, after=self._last):
            if _id(event) not in self._seen:
                found.append(event)
            elif self._newest_first:
                break
        return found


def _id(event: Mapping[str, Any]) -> str:
    return str(event.get("id"))


def _time(event: Mapping[str, Any]) -> float:
    at = event.get("created_at")
    return float(at) if isinstance(at, int | float) else 0.0
