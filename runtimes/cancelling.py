"""Stops what goes on in the name of a run: the run itself, and its jobs on other machines, which would go on billing."""

import asyncio
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from distillc.runtimes.lock import holder
from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.runtimes.remote.jobs import Job, cancel, read_job
from distillc.runtimes.remote.pacing import Pace
from distillc.spec.errors import StageFailed

WAIT = 30.0  # seconds that a run has to end itself


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


def cancel_job(job: Job) -> bool:
    """Whether it was there and had not ended. Raises StageFailed where nobody can be asked."""
    endpoint = Endpoint(base_url=job.base_url, name=job.place.strip("/"))

    async def ask() -> bool:
        client = Client.to(endpoint, job.api_key, Path(job.about["folder"]), pace=Pace(1), timeout=60.0, retries=2)
        try:
            return await cancel(client, job)
        finally:
            await client.close()

    return asyncio.run(ask())
