"""What ends the wait for a job, and what says that there is nothing to cancel, against the testing server."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.runtimes.remote.files import upload
from distillc.runtimes.remote.fine_tuning import PLACE, STATES, write_examples
from distillc.runtimes.remote.jobs import TOKEN, Cancelled, Gone, Job, Told, Watch, cancel, delete_sent, intended, submit
from distillc.runtimes.remote.pacing import Pace
from distillc.spec.errors import StageFailed
from distillc.testing.server import Fault, Script, Served, serve
from distillc.testing.server.script import Jobs

T = TypeVar("T")
TALK = [{"role": "user", "content": "Correct: She go."}, {"role": "assistant", "content": "She goes."}]
LONG = Jobs(seconds=1_000_000)
ONE, CANCEL = "/v1/fine_tuning/jobs/ftjob*", "/v1/fine_tuning/jobs/*/cancel"


class There:
    """A job that a server has."""

    def __init__(self, folder: Path, server: Served) -> None:
        self.server, self.rows = server, folder / "rows.jsonl"
        write_examples(self.rows, [TALK] * 5)
        self.job = intended(folder / "tuning.job.json", place=PLACE, base_url=server.url, api_key=None)
        self.warned: list[str] = []
        self.run(self._submitted)

    def run(self, what: Callable[[Client], Awaitable[T]]) -> T:
        async def done() -> T:
            client = Client(Endpoint(base_url=self.server.url, name="m"), "a-key", pace=Pace(1), retries=0)
            try:
                return await what(client)
            finally:
                await client.close()

        return asyncio.run(done())

    async def _submitted(self, client: Client) -> None:
        file_id = await upload(client, self.rows, name=f"distillc-{self.job.token}.jsonl", purpose="fine-tune")
        await submit(client, self.job, {"model": "m", "training_file": file_id, "metadata": {TOKEN: self.job.token}})

    def cancelled(self) -> Cancelled:
        return self.run(lambda client: cancel(client, self.job, STATES.ended))

    def watched(self) -> str:
        async def tell(job: Job, told: Told) -> None:
            pass

        async def ended(client: Client) -> str:
            watch = Watch(client, STATES, tell=tell, warn=self.warned.append, longest=0.01, patience=0.005)
            return str((await watch.ended([self.job]))[1]["status"])

        return self.run(ended)

    @property
    def state(self) -> str:
        async def told(client: Client) -> str:
            return str((await client.ask("GET", f"{PLACE}/{self.job.id}"))["status"])

        self.server.change(Script(jobs=LONG))
        return self.run(told)


@pytest.fixture
def there(tmp_path: Path) -> Iterator[There]:
    with serve(Script(jobs=LONG), dialect="nebius") as server:
        yield There(tmp_path, server)


@pytest.mark.parametrize(
    "refusal",
    [
        Fault(status=429, retry_after="7200", path=CANCEL),
        Fault(status=409, path=CANCEL),
        Fault(status=422, path=CANCEL),
        Fault(status=500, path=CANCEL),
        Fault(status=404, path=CANCEL),
        Fault(status=404, method="*", path="*"),
    ],
    ids=lambda fault: f"{fault.status} {fault.path}",
)
def test_what_is_refused_and_runs_may_go_on(there: There, refusal: Fault) -> None:
    there.server.change(Script(jobs=LONG, faults=(refusal,)))
    with pytest.raises(StageFailed, match=str(refusal.status)) as raised:
        there.cancelled()
    assert "`distillc cancel` again" in str(raised.value.help)
    assert there.job.file.exists()
    assert there.state == "running"


def test_only_what_has_ended_or_is_not_known_is_nothing_to_cancel(there: There) -> None:
    assert there.cancelled() is Cancelled.NOW
    assert there.state == "cancelled"
    assert there.cancelled() is Cancelled.ENDED
    there.job.id = "ftjob-of-another-account"
    assert there.cancelled() is Cancelled.GONE
    assert not there.job.file.exists(), "so that the next run makes another"


def test_files_that_are_deleted_before_the_job_is_made_are_sent_again(there: There) -> None:
    there.job.id, there.job.uploads = None, {"training_file": "file-1"}
    there.run(lambda client: delete_sent(client, there.job))
    assert [call["status"] for call in there.server.calls() if call["method"] == "DELETE"] == [200]
    assert there.job.uploads == {}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="html", method="GET", path=ONE, times=8),
        Fault(status=429, retry_after="7200", method="GET", path=ONE, times=8),
        Fault(status=403, method="GET", path=ONE, times=4),
        Fault(status=404, method="GET", path=ONE, times=4),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
def test_what_may_be_a_proxys_answer_is_waited_out(there: There, fault: Fault) -> None:
    there.server.change(Script(jobs=LONG, faults=(fault,)))
    there.server.advance(2_000_000)
    assert there.watched() == "succeeded"
    assert len(there.warned) == 1 and there.warned[0].endswith("waiting on")


def test_what_is_refused_five_times_in_a_row_ends_the_wait(there: There) -> None:
    there.server.change(Script(jobs=LONG, faults=(Fault(status=403, method="GET", path=ONE),)))
    with pytest.raises(StageFailed, match="403"):
        there.watched()
    assert len([call for call in there.server.calls() if call["status"] == 403]) == 5


def test_a_job_that_is_not_known_any_more_ends_the_wait_with_a_way_out(there: There) -> None:
    there.job.id = "ftjob-of-another-account"
    with pytest.raises(Gone, match="knows no job ftjob-of-another-account") as raised:
        there.watched()
    assert "distillc cancel" in str(raised.value.help)
