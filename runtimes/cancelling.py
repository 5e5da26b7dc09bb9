"""Stops what goes on in the name of a run: the run itself, and its jobs on other machines, which would go on billing."""

import asyncio
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from distillc.runtimes.lock import holder
from distillc.runtimes.remote import batches, fine_tuning
from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.runtimes.remote.jobs import Cancelled, Job, cancel, delete_sent, read_job
from distillc.runtimes.remote.pacing import Pace
from distillc.spec.errors import StageFailed

WAIT = 30.0  # seconds that a run has to end itself
ENDED = batches.STATES.ended | fine_tuning.STATES.ended


def stop(home: Path, run: str) -> bool:
    """Whether this run was at work. Afterwards it is not."""
    found = holder(home)
    if found is None or found[0] != run:
        return False
    os.kill(found[1], signal.SIGTERM)
    until = time.monotonic() + WAIT
    while holder(home) == found:
        if time.monotonic() > until:
            raise StageFailed(f"run {run} does not end", where=str(home), help=f"its process is {found[1]}")
        time.sleep(0.05)
    return True


def jobs_in(folders: Iterable[Path]) -> list[Job]:
    """The jobs that stages meant, in their work folders."""
    return [read_job(file) for folder in folders for file in sorted(folder.rglob("*.job.json"))]


class Stopped(NamedTuple):
    """`left`: why what was sent for it may still be there, of a job of which nothing may stay."""

    how: Cancelled
    left: StageFailed | None = None


def cancel_job(job: Job) -> Stopped:
    """Raises StageFailed where it may go on: nobody can be asked, or it is refused."""
    endpoint = Endpoint(base_url=job.base_url, name=job.place.strip("/"))

    async def ask() -> Stopped:
        client = Client.to(endpoint, job.api_key, Path(job.about["folder"]), pace=Pace(1), timeout=60.0, retries=2)
        try:
            how = await cancel(client, job, ENDED)
            return Stopped(how, await _left(client, job))
        finally:
            await client.close()

    return asyncio.run(ask())


async def _left(client: Client, job: Job) -> StageFailed | None:
    try:
        if job.about.get("retention") == "none":
            await delete_sent(client, job)
    except StageFailed as error:
        return error
    return None
