"""Which jobs are open, by the files that `remote/jobs.py` writes."""

from pathlib import Path

import pytest

from distillc.runtimes.open_jobs import OpenJob, open_in, open_jobs
from distillc.runtimes.remote.jobs import CANCELLED, Job, intended

URL = "https://api.example.com/v1"


def sent(home: Path, key: str = "key", id: str | None = "batch_1") -> Job:
    job = intended(home / "work" / key / "state" / "jobs-00000-model" / "00001.job.json", place="/batches", base_url=URL, api_key=None)
    job.request, job.id = {"input_file_id": "file_1"}, id
    job.save()
    return job


def test_what_was_sent_is_open_under_its_stage(tmp_path: Path) -> None:
    sent(tmp_path)
    (tmp_path / "work" / "another").mkdir()
    assert open_jobs(tmp_path) == {"key": [OpenJob("batches", "batch_1", URL)]}
    assert str(open_in(tmp_path)[0]) == f"batches batch_1 at {URL}"


def test_one_that_may_have_arrived_is_named_by_its_token(tmp_path: Path) -> None:
    job = sent(tmp_path, id=None)
    assert [one.name for one in open_in(tmp_path)] == [job.token]


def test_what_was_never_sent_is_not_open(tmp_path: Path) -> None:
    intended(tmp_path / "00001.job.json", place="/batches", base_url=URL, api_key=None)
    assert open_in(tmp_path) == []


@pytest.mark.parametrize("about", [{CANCELLED: True}, {"read": {"output_file_id": "file_2"}}])
def test_what_was_cancelled_or_read_is_not_open(tmp_path: Path, about: dict[str, object]) -> None:
    job = sent(tmp_path)
    job.about.update(about)
    job.save()
    assert open_in(tmp_path) == []


def test_where_nothing_ran_nothing_is_open(tmp_path: Path) -> None:
    assert open_jobs(tmp_path) == {}
