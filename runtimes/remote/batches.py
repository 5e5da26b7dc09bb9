"""Many prompts as batches of an API: files go out, an hour or a day later files come back, at half the price.

All that is known of a batch lies in a folder that survives a kill: its requests, its job (`jobs.py`) and, until they are read, its results.
What tells rows apart is all that is in memory. What failed, or is told nowhere, is asked once more in a new batch.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from distillc.plugins.api.artifacts import Completion
from distillc.plugins.api.engines import Meter
from distillc.runtimes.remote import chat
from distillc.runtimes.remote.answering import FILTERED
from distillc.runtimes.remote.batch_lines import LIMITS, URL, ids_in, request_line, results_in
from distillc.runtimes.remote.batch_rows import TRIES, Rows, digest_in, try_in
from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.failures import Rejected
from distillc.runtimes.remote.files import delete, delete_named, download, upload
from distillc.runtimes.remote.jobs import CANCELLED, TOKEN, Job, States, Told, Watch, intended, read_job, submit
from distillc.spec.errors import BudgetReached, StageFailed

PLACE = "/batches"
STATES = States(
    active=frozenset({"validating", "validated", "queued", "pending", "in_progress", "running", "finalizing", "cancelling"}),
    ended=frozenset({"completed", "done", "failed", "expired", "cancelled"}),
)
LEAST = 0.1  # of what is missing: where a budget leaves rows out, a smaller batch is not worth the hour that it takes
RESULTS = ("output_file_id", "error_file_id")
AGAIN = "run again: what is answered is kept, and the others are asked in a new batch"

Emit = Callable[..., None]
T = TypeVar("T")


class Batches:
    """`api_key`, a reference, and `about` are for whoever has to cancel a batch. `keep`: whether files may stay on the other side."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        client: Client,
        folder: Path,
        emit: Emit,
        *,
        api_key: str | None,
        about: Mapping[str, Any],
        keep: bool,
        longest: float,
        patience: float,
    ) -> None:
        self._loop, self._client, self._folder, self._emit = loop, client, folder, emit
        self._api_key, self._about, self._keep = api_key, about, keep
        self._longest, self._patience = longest, patience
        self._counts: dict[str, int] = {}  # of each batch, how many rows it says are done
        self._failed: StageFailed | None = None
        self.limits = LIMITS[client.endpoint.dialect]

    def answers(self, prompts: Sequence[str], body: Callable[[str], chat.Body], meter: Meter | None) -> Iterator[tuple[int, Completion]]:
        """Answers with the index of their prompt, in any order. One that ended with `error` stands for a row that failed twice.

        Raises BudgetReached, or StageFailed, after the last of them.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        rows = Rows(prompts, body, meter)

        async def tell(job: Job, told: Told) -> None:
            self._tell(job, told, rows)

        watch = Watch(self._client, STATES, tell=tell, warn=self._warn, longest=self._longest, patience=self._patience)
        try:
            jobs, all_reserved = self._left(rows)
            reached: BudgetReached | None = None
            while True:
                if all_reserved:
                    made, reached = self._made(rows)
                    jobs += made
                all_reserved = True
                if not jobs:
                    break
                for job in jobs:
                    self._run(self._submit(job))
                while jobs:
                    job, told = self._run(watch.ended(jobs))
                    jobs.remove(job)
                    yield from self._collected(job, told, rows)
                if self._failed:
                    raise self._failed
            if reached:
                raise reached
        finally:
            rows.release()

    # --- out

    def _left(self, rows: Rows) -> tuple[list[Job], bool]:
        """The batches of an earlier run that are still out, and whether what they may cost could be reserved.

        What it had not begun to submit is made anew; of what was read, the traces are removed.
        """
        jobs, reserved = [], True
        for file in sorted(self._folder.glob("*.job.json")):
            job = read_job(file)
            if job.request is None or job.about.get("read"):
                self._run(self._forget(job))
            else:
                reserved = rows.sent(ids_in(_requests(job))) and reserved
                jobs.append(job)
        return jobs, reserved

    def _made(self, rows: Rows) -> tuple[list[Job], BudgetReached | None]:
        """As many rows as the budget allows in files as large as the API takes, and for each an intent."""
        chosen, reached = rows.affordable(LEAST)
        jobs: list[Job] = []
        count = size = 0
        out = None
        for name, content in chosen:
            line = request_line(name, content)
            if out is None or count == self.limits.rows or size + len(line) > self.limits.bytes:
                if out:
                    out.close()
                jobs.append(self._new())
                out, count, size = _requests(jobs[-1]).open("wb"), 0, 0
            out.write(line)
            count, size = count + 1, size + len(line)
        if out:
            out.close()
        return jobs, reached

    def _new(self) -> Job:
        numbers = [int(file.name[:5]) for file in self._folder.glob("*.job.json")]
        file = self._folder / f"{max(numbers, default=0) + 1:05}.job.json"
        base_url = self._client.endpoint.base_url
        return intended(file, place=PLACE, base_url=base_url, api_key=self._api_key, about=self._about)

    async def _submit(self, job: Job) -> None:
        if job.id is not None:
            return
        if "requests" not in job.uploads:
            job.uploads["requests"] = await upload(self._client, _requests(job), name=f"distillc-{job.token}.jsonl", purpose="batch")
            job.save()
        request = {
            "input_file_id": job.uploads["requests"],
            "endpoint": URL,
            "completion_window": "24h",
            "metadata": {TOKEN: job.token},
        }
        await submit(self._client, job, request)
        self._emit("job submitted", place=PLACE, job=job.id)

    # --- back

    def _collected(self, job: Job, told: Told, rows: Rows) -> Iterator[tuple[int, Completion]]:
        """All answers of a batch that has ended, and then nothing is left of it. What went wrong with it is kept in `_failed`."""
        state = str(told["status"]).lower()
        seen: set[str] = set()
        errors: list[str] = []
        for kind in RESULTS:
            if told.get(kind):
                yield from self._results(job, str(told[kind]), rows, seen, errors)
        missing = [name for name in ids_in(_requests(job)) if name not in seen]
        rows.back(missing, tried=state != "cancelled")
        if missing and state in ("completed", "done", "expired"):
            said = f"; the first: {errors[0]}" if errors else ""
            self._warn(f"{len(missing)} of {len(missing) + len(seen)} rows of batch {job.id} have no answer{said}")
        lost = [name for name in missing if try_in(name) >= TRIES and state != "cancelled"]
        if state == "failed" or (lost and not rows.answered and len(missing) > 1):
            self._fail(
                f"batch {job.id} failed: {_why(told) or (errors or ['nobody says why'])[0]}", "change what it does not take, then run again"
            )
        elif state == "cancelled" and missing and not job.about.get(CANCELLED):
            self._fail(f"batch {job.id} was cancelled, and {len(missing)} of its rows have no answer", AGAIN)
        elif state == "expired" and lost:
            self._fail(f"batch {job.id} has expired, as one before it: {len(lost)} rows have no answer", AGAIN)
        else:
            for name in lost:
                if (index := rows.take(digest_in(name))) is not None:
                    yield index, Completion(text="", finish_reason="error", prompt_tokens=0, completion_tokens=0)
        job.about["read"] = {kind: told[kind] for kind in RESULTS if told.get(kind)}
        job.save()
        self._counts.pop(str(job.id), None)
        self._run(self._forget(job))

    def _results(self, job: Job, file_id: str, rows: Rows, seen: set[str], errors: list[str]) -> Iterator[tuple[int, Completion]]:
        """The answers in a file of results. A row is `seen` that needs none any more."""
        target = job.file.with_name(f"{job.file.name[:5]}.results.jsonl")
        try:
            self._run(download(self._client, file_id, target))
        except Rejected as error:
            if error.status != 404:
                raise
            self._warn(f"{error.message}: results of batch {job.id} are gone")
            return
        for result in results_in(target):
            if result.custom_id in seen:
                continue
            completion = rows.completion(result)
            if completion is None and result.code in FILTERED:
                completion = Completion(text="", finish_reason="content_filter", prompt_tokens=0, completion_tokens=0)
            if completion is None:
                errors.append(result.error)
                continue
            seen.add(result.custom_id)
            index = rows.take(digest_in(result.custom_id), completion)
            if index is not None:
                yield index, completion
        target.unlink()

    async def _forget(self, job: Job) -> None:
        if not self._keep:
            for file_id in (job.about.get("read") or {}).values():
                await delete(self._client, file_id)
            await delete_named(self._client, job.token)
        _requests(job).unlink(missing_ok=True)
        job.file.unlink()

    # --- what is said

    def _tell(self, job: Job, told: Told, rows: Rows) -> None:
        counts = told.get("request_counts")
        done = counts.get("completed") if isinstance(counts, Mapping) else None
        state = str(told["status"])
        if state != job.about.get("state"):
            job.about["state"] = state
            self._emit("job", job=job.id, state=state)
        if isinstance(done, int) and self._counts.get(str(job.id)) != done:
            self._counts[str(job.id)] = done
            self._emit("progress", done=min(rows.answered + sum(self._counts.values()), len(rows)), total=len(rows), unit="rows")

    def _warn(self, message: str) -> None:
        self._emit("warning", message=message)

    def _fail(self, message: str, help: str) -> None:
        self._failed = self._failed or StageFailed(f"{self._client.endpoint}: {message}", help=help)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)


def _requests(job: Job) -> Path:
    return job.file.with_name(f"{job.file.name[:5]}.requests.jsonl")


def _why(told: Told) -> str:
    """What the API says of a batch that failed as a whole."""
    errors = told.get("errors")
    data = errors.get("data") if isinstance(errors, Mapping) else None
    found = [one for one in data or () if isinstance(one, Mapping) and one.get("message")]
    if not found:
        return ""
    line = f"line {found[0]['line']}: " if found[0].get("line") else ""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{line}{found[0]['message']}{more}"
