"""Jobs on somebody else's machine: submitted once whatever is killed, and waited for however long they take.

A job has a file in the work folder of its stage. It is written before anything is sent, with a token that goes along. Where nobody knows
whether a submission arrived (a kill, a broken connection, an answer that is none), the other side's list is asked for the token before
another one is made.
"""

import asyncio
import json
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.failures import Busy, MayPass, Rejected
from distillc.runtimes.remote.files import delete_named, listed
from distillc.spec.errors import StageFailed

NOT_FOUND = 404
CANCELLED = "cancelled"  # in a job's `about`: it was stopped from here, so that another run may go on without asking why
READ = "read"  # in a job's `about`: all that it made is here
TOKEN = "distillc"  # the name of the token in a job's `metadata`
UPLOADED = ("input_file_id", "training_file")  # an uploaded file belongs to one job, which it tells as well as a token does
FIRST, GROWTH = 1.0, 1.5  # seconds until the second look, and how much longer each further pause is
LOOKS, BETWEEN = 3, 1.0  # a list may lag behind: so often, and so many seconds later each time
REFUSALS = 5  # looks in a row that end a watch: a single refusal may be a proxy's, or come of a list that lags behind

Told = Mapping[str, Any]
"""What the other side says of a job."""


class States(NamedTuple):
    """By the API's words, in small letters. One that is in none of them is waited for, and said once."""

    active: frozenset[str]
    ended: frozenset[str]


@dataclass(slots=True)
class Job:
    """`place` is the path of its list, `/batches` say. `api_key` is the reference to the key, so that anyone may cancel it later.

    `uploads`: what was uploaded for it, by names of the caller's. `about` is the caller's too, but for what it says to whoever cancels it:
    which `folder` its spec is in, and by a `retention` of `none` that nothing of it may stay there.
    """

    file: Path
    token: str
    place: str
    base_url: str
    api_key: str | None = None
    request: dict[str, Any] | None = None
    id: str | None = None
    uploads: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def save(self) -> None:
        """On the disk when this returns."""
        data = {name: value for name, value in asdict(self).items() if name != "file"}
        made = self.file.with_suffix(".new")
        with made.open("w", encoding="utf-8") as out:
            json.dump(data, out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        made.replace(self.file)


def intended(file: Path, *, place: str, base_url: str, api_key: str | None, about: Mapping[str, Any] | None = None) -> Job:
    """The job of this file: the one that an earlier try meant, or a new one, which is written down now. `about` is the caller's."""
    if file.exists():
        return read_job(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    job = Job(file, secrets.token_hex(8), place, base_url, api_key, about=dict(about or {}))
    job.save()
    return job


def read_job(file: Path) -> Job:
    return Job(file, **json.loads(file.read_text(encoding="utf-8")))


async def submit(client: Client, job: Job, request: Mapping[str, Any]) -> None:
    """Afterwards the job has its id. `request` should say the job's token: as `metadata: {distillc: …}`, or in its `suffix`."""
    if job.id is None and job.request is not None:
        job.id = await _found(client, job)
    if job.id is None:
        job.request = dict(request)
        job.save()
        job.id = await _posted(client, job)
    job.save()


async def _posted(client: Client, job: Job) -> str:
    content = json.dumps(job.request).encode()
    failure = StageFailed(f"{client.endpoint}: it takes no job now, and asks to wait each time", help="run again later")
    for tried in range(client.retries + 1):
        try:
            reply = await client.once("POST", job.place, content)
            if isinstance(reply, Mapping) and reply.get("id"):
                return str(reply["id"])
            failure = StageFailed(f"{client.endpoint}: what came for a POST to {job.place} is JSON, and no job")
        except Busy:
            await asyncio.sleep(client.pace.wait)
            continue
        except Rejected:  # it was understood, and there is none
            raise
        except StageFailed as error:
            failure = error
        if (found := await _found(client, job)) is not None:
            return found
        if tried < client.retries:
            await asyncio.sleep(random.uniform(0, BETWEEN * 2**tried))
    raise failure


async def _found(client: Client, job: Job) -> str | None:
    """The id of the job on the other side, if it is there. Of several, the oldest."""
    assert job.request is not None
    for look in range(LOOKS):
        await asyncio.sleep(BETWEEN * look)
        found = [str(told["id"]) async for told in listed(client, job.place) if _is(told, job)]
        if found:
            return found[-1]
    return None


def _is(told: Told, job: Job) -> bool:
    metadata = told.get("metadata")
    if isinstance(metadata, Mapping) and TOKEN in metadata:
        return bool(metadata[TOKEN] == job.token)
    request = job.request or {}
    same = any(request.get(name) and told.get(name) == request[name] for name in UPLOADED)
    return same or job.token in str(told.get("suffix"))


class Gone(Rejected):
    """The other side lists its jobs, and `job`, an id, is none of them."""

    def __init__(self, client: Client, job: str) -> None:
        super().__init__(
            f"{client.endpoint}: it knows no job {job} (any more)",
            help="was it made with another key, or at another address? Else `distillc cancel` forgets it: the next run makes another",
            status=NOT_FOUND,
        )
        self.job = job


async def look(client: Client, job: Job) -> Told:
    """What the other side says of a job. Raises Gone where it knows of none: a mere 404 may be a proxy's."""
    job_id = str(job.id)
    try:
        told = await client.ask("GET", f"{job.place}/{quote(job_id)}")
    except Rejected as error:
        if error.status == NOT_FOUND and await _is_missing(client, job):
            raise Gone(client, job_id) from None
        raise
    if not isinstance(told, Mapping) or "status" not in told:
        raise MayPass(f"{client.endpoint}: what came for job {job.id} is JSON, and no job")
    return told


async def _is_missing(client: Client, job: Job) -> bool:
    try:
        reply = await client.ask("GET", f"{job.place}?limit=1")
        ids = {str(told.get("id")) async for told in listed(client, job.place)}
    except StageFailed:
        return False
    return isinstance(reply, Mapping) and isinstance(reply.get("data"), list) and job.id not in ids


class Cancelled(StrEnum):
    """What became of a job that was to be cancelled."""

    NOW = "cancelled"
    ENDED = "nothing to cancel"
    GONE = "nothing to cancel: it is not known there, and forgotten here"


async def cancel(client: Client, job: Job, ended: Container[str]) -> Cancelled:
    """Asks the other side to stop it; `ended` are the states in which nothing is left to stop. What it has made is the next run's.

    Raises StageFailed where it may go on. A job that is not known there loses its file, so that the next run makes another.
    """
    if job.id is None and job.request is not None:
        job.id = await _found(client, job)
    if job.id is None:
        return Cancelled.ENDED
    try:
        await client.ask("POST", f"{job.place}/{quote(job.id)}/cancel")
    except StageFailed as refused:  # whatever it says, whether the job goes on is the job's own to tell
        may_go_on = StageFailed(refused.message, help="run `distillc cancel` again, or stop it where its platform shows it")
        try:
            state = str((await look(client, job))["status"]).lower()
        except Gone:
            job.file.unlink()
            return Cancelled.GONE
        except StageFailed:
            raise may_go_on from None
        if state in ended:
            job.about[CANCELLED] = True
            job.save()
            return Cancelled.ENDED
        if state != "cancelling":
            raise may_go_on from None
    job.about[CANCELLED] = True
    job.save()
    return Cancelled.NOW


async def delete_sent(client: Client, job: Job) -> None:
    """Deletes the files that were sent for a job, those of tries that broke off too. One that is still to be made is sent them again."""
    await delete_named(client, job.token)
    if job.id is None and job.uploads:
        job.uploads.clear()
        job.save()


class Watch:
    """Looks at jobs until one has ended.

    `longest`: seconds between two looks at most. `patience`: hours after which nobody waits any longer; the jobs go on. `tell` gets each
    job with what is said of it, `warn` what a person should know.
    """

    def __init__(
        self,
        client: Client,
        states: States,
        *,
        tell: Callable[[Job, Told], Awaitable[None]],
        warn: Callable[[str], None],
        longest: float = 60.0,
        patience: float = 48.0,
    ) -> None:
        self._client, self._states, self._tell, self._warn = client, states, tell, warn
        self._longest, self._patience = longest, patience
        self._pause = min(FIRST, longest)
        self._until = time.monotonic() + patience * 3600
        self._warned: set[str] = set()
        self._refused: Counter[str] = Counter()  # how often in a row, by the job's token

    async def ended(self, jobs: Sequence[Job]) -> tuple[Job, Told]:
        """The first of them that is found to have ended. Raises StageFailed when patience is at its end."""
        while True:
            for job in jobs:
                if (told := await self._look(job)) is not None:
                    return job, told
            if time.monotonic() >= self._until:
                some = f"job {jobs[0].id} has" if len(jobs) == 1 else f"{len(jobs)} jobs have"
                raise StageFailed(
                    f"{self._client.endpoint}: {some} not ended within {self._patience:g} h",
                    help="run again to wait on: nothing is submitted twice; or stop what goes on there: `distillc cancel`",
                )
            await asyncio.sleep(self._pause)
            self._pause = min(self._longest, self._pause * GROWTH)

    async def _look(self, job: Job) -> Told | None:
        """What is said of a job that has ended."""
        try:
            told = await look(self._client, job)
        except StageFailed as error:  # hours may pass until it ends: a line, or a server, that is down for minutes ends nothing
            self._refused[job.token] += isinstance(error, Rejected) and error.status != 0
            if self._refused[job.token] == REFUSALS:
                raise
            self._once(f"{error.message}; waiting on")
            return None
        self._refused[job.token] = 0
        await self._tell(job, told)
        state = str(told["status"]).lower()
        if state not in self._states.active | self._states.ended:
            self._once(f"job {job.id} says that it is '{told['status']}', which is no state that is known here; waiting on")
        return told if state in self._states.ended else None

    def _once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self._warn(message)
