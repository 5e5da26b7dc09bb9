"""Many prompts as batches of an API: files go out, an hour or a day later files come back, at half the price.

All that is known of a batch lies in a folder that survives a kill: its requests, its job (`jobs.py`) and, until they are read, its results.
What tells rows apart is all that is in memory. What failed, or is told nowhere, is asked once more in a new batch; what was completed, and
lies in no file, is not bought again.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from distillc.plugins.api.artifacts import Completion
from distillc.plugins.api.engines import Meter
from distillc.runtimes.remote import chat
from distillc.runtimes.remote.batch_lines import LIMITS, URL, Result, ids_in, request_line, results_in
from distillc.runtimes.remote.batch_past import Past
from distillc.runtimes.remote.batch_results import DONE, Given, failure, state_of
from distillc.runtimes.remote.batch_rows import TRIES, Rows, digest_in, try_in
from distillc.runtimes.remote.client import Client, check_name
from distillc.runtimes.remote.failures import Rejected
from distillc.runtimes.remote.files import delete, delete_named, download, upload
from distillc.runtimes.remote.jobs import CANCELLED, TOKEN, Gone, Job, States, Told, Watch, intended, look, read_job, submit
from distillc.spec.errors import BudgetReached, StageFailed

PLACE = "/batches"
STATES = States(
    active=frozenset({"validating", "validated", "queued", "pending", "in_progress", "running", "finalizing", "cancelling"}),
    ended=frozenset({"completed", "done", "failed", "expired", "cancelled"}),
)
LEAST = 0.1  # of all rows: where a budget leaves rows out, a smaller batch is not worth the hour that it takes
RESULTS = ("output_file_id", "error_file_id")
LOOKS = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0)  # seconds between looks for files that a platform has not put there yet: five minutes in all
FEW = 0.1  # of a batch: where no more than these are in no file, they are asked again, as rows that failed
LACKING = "lacking"  # in a job's `about`: a run ended with it, for so many answers were in no file

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
        self._past = folder / "past.json"
        self._answered = False  # whether any row ever had an answer
        self.limits = LIMITS[client.endpoint.dialect]

    def answers(self, prompts: Sequence[str], body: Callable[[str], chat.Body], meter: Meter | None) -> Iterator[tuple[int, Completion]]:
        """Answers with the index of their prompt, in any order. One that ended with `error` stands for a row that failed twice.

        Raises BudgetReached, or StageFailed, after the last of them.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        past = Past.read(self._past)
        self._answered = past.answered
        rows = Rows(prompts, body, meter, past.tries)

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
                ended = not jobs
                for job in jobs:
                    self._run(self._submit(job))
                while jobs:
                    job, told = self._run(self._ended(watch, jobs))
                    jobs.remove(job)
                    if told:
                        yield from self._collected(job, told, rows)
                if self._failed:
                    raise self._failed
                if ended:
                    break
            if reached:
                raise reached
            self._past.unlink(missing_ok=True)
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
        """As many rows as the budget allows in files as large as the API takes, and for each an intent.

        None where the API has no model of this name: what is out is collected before the run ends with that.
        """
        chosen, reached = rows.affordable(LEAST)
        jobs: list[Job] = []
        count = size = 0
        out = None
        for name, content in chosen:
            line = request_line(name, content)
            if out is None and not self._is_named():
                return [], None
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

    def _is_named(self) -> bool:
        try:
            self._run(check_name(self._client))
        except StageFailed as error:
            self._failed = error
        return self._failed is None

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

    async def _ended(self, watch: Watch, jobs: Sequence[Job]) -> tuple[Job, Told]:
        """The first of them that has ended, and what is said of it: nothing of one that its platform knows no more, for which none else
        need wait."""
        try:
            return await watch.ended(jobs)
        except Gone as error:
            self._failed = self._failed or error
            return next(job for job in jobs if job.id == error.job), {}

    def _collected(self, job: Job, told: Told, rows: Rows) -> Iterator[tuple[int, Completion]]:
        """All answers of a batch that has ended, and then nothing is left of it. What went wrong with it is kept in `_failed`."""
        given = Given()
        told_to = job.about.get(LACKING) and job.about.get(CANCELLED)
        pauses = iter(LOOKS)
        while True:
            yield from self._answers(job, told, rows, given)
            missing = [name for name in ids_in(_requests(job)) if name not in given.answered]
            lacking = 0 if told_to else given.lacking(told, missing)
            if not lacking or (pause := next(pauses, None)) is None:
                break
            if pause == LOOKS[0]:
                self._warn(f"{lacking} answers of batch {job.id}, which has ended, are in no file there; looking for {sum(LOOKS):.0f} s")
            self._run(asyncio.sleep(pause))
            told = self._run(look(self._client, job))
        if lacking > FEW * (len(missing) + len(given.answered)):
            self._lack(job, told, lacking)
            return
        yield from self._missed(job, told, rows, given, missing)
        Past(self._answered, rows.tries).write(self._past)
        job.about["read"] = {kind: told[kind] for kind in RESULTS if told.get(kind)}
        job.save()
        self._counts.pop(str(job.id), None)
        self._run(self._forget(job))

    def _answers(self, job: Job, told: Told, rows: Rows, given: Given) -> Iterator[tuple[int, Completion]]:
        """The answers in the files of results, as far as they are there, without those that were given before."""
        given.unclear = 0
        for result in self._results(job, told):
            if result.custom_id in given.answered:
                continue
            if (completion := rows.completion(result)) is None:
                given.none(result)
                continue
            given.answered.add(result.custom_id)
            if (index := rows.take(digest_in(result.custom_id), completion)) is not None:
                yield index, completion

    def _results(self, job: Job, told: Told) -> Iterator[Result]:
        target = job.file.with_name(f"{job.file.name[:5]}.results.jsonl")
        for kind in RESULTS:
            if told.get(kind):
                try:
                    self._run(download(self._client, str(told[kind]), target))
                except Rejected as error:
                    if error.status != 404:
                        raise
                else:
                    yield from results_in(target)
        target.unlink(missing_ok=True)

    def _missed(self, job: Job, told: Told, rows: Rows, given: Given, missing: Sequence[str]) -> Iterator[tuple[int, Completion]]:
        """What becomes of the rows without an answer: they are asked again, or are errors, or the run ends."""
        state, error = state_of(told), given.first_error
        rows.back(missing, tried=state not in ("failed", "cancelled"), billed=set(given.billed(told, missing)))
        if missing and state in (*DONE, "expired"):
            first = f"; the first: {error}" if error else ""
            self._warn(f"{len(missing)} of {len(missing) + len(given.answered)} rows of batch {job.id} have no answer{first}")
        self._answered = self._answered or bool(given.answered)
        lost = [name for name in missing if try_in(name) >= TRIES and state != "cancelled"]
        failed = failure(job, told, missing=len(missing), lost=len(lost), none_answered=not self._answered, error=error)
        if failed:
            self._fail(*failed)
            return
        for name in lost:
            if (index := rows.take(digest_in(name))) is not None:
                yield index, Completion(text="", finish_reason="error", prompt_tokens=0, completion_tokens=0)

    def _lack(self, job: Job, told: Told, lacking: int) -> None:
        """The job stays: another run looks again, or goes on without those answers where `distillc cancel` has said so."""
        job.about |= {LACKING: lacking, CANCELLED: False}
        job.save()
        self._fail(
            f"batch {job.id} says that it is '{told['status']}', and {lacking} answers that it has made are in no file there",
            "run again to look again: nothing is bought twice; or, to have them made anew: `distillc cancel`, then run again",
        )

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
