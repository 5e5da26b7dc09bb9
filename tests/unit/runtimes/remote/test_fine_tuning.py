"""The walk of a fine-tuning job, against the testing server in both shapes of its replies."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.runtimes.remote.fine_tuning import (
    PLACE,
    STATES,
    Checkpoint,
    JobFailed,
    Tuned,
    best,
    fetch,
    safe_name,
    suffix,
    tune,
    write_examples,
)
from distillc.runtimes.remote.jobs import TOKEN, Cancelled, cancel, intended, read_job
from distillc.runtimes.remote.pacing import Pace
from distillc.runtimes.remote.tuning_events import Events
from distillc.testing.server import Fault, Script, Served, serve
from distillc.testing.server.script import Dialect, Jobs

BASE = "Qwen/Qwen3-4B"
TALK = [{"role": "user", "content": "Correct: She go."}, {"role": "assistant", "content": "She goes."}]


class Walk:
    """One try after another with the same work folder. `events` are those of the last."""

    def __init__(self, folder: Path, server: Served, *, epochs: int = 10, validation: bool = True) -> None:
        self.folder, self.server = folder, server
        names = ["training_file", *(["validation_file"] if validation else [])]
        self.files = {name: folder / f"{name}.jsonl" for name in names}
        for file in self.files.values():
            write_examples(file, [TALK] * 5)
        self.body = {"model": BASE, "hyperparameters": {"n_epochs": epochs, "batch_size": 2}}
        self.events: list[dict[str, Any]] = []
        self.fetched: list[str] = []

    def run(self, patience: float = 1.0) -> Tuned:
        return asyncio.run(self._run(patience))

    async def _run(self, patience: float) -> Tuned:
        self.events = []
        client = Client(Endpoint(base_url=self.server.url, name=BASE), "a-key", pace=Pace(1), retries=1)
        job = intended(self.folder / "tuning.job.json", place=PLACE, base_url=self.server.url, api_key=None)
        body = {**self.body, "suffix": suffix("student", job.token), "metadata": {TOKEN: job.token}}
        try:
            tuned = await tune(client, job, body, self.files, emit=self._emit, look=0.01, patience=patience)
            self.fetched = await fetch(client, tuned.best, self.folder / "weights")
        finally:
            await client.close()
        return tuned

    def _emit(self, event: str, **fields: Any) -> None:
        self.events.append({"event": event, **fields})

    def said(self, event: str) -> list[str]:
        return [one["message"] for one in self.events if one["event"] == event]

    def posted(self, path: str) -> int:
        return len([call for call in self.server.calls(path) if call["method"] == "POST"])


@pytest.mark.parametrize("dialect", ["nebius", "openai", "generic"])
def test_the_best_of_the_recorded_epochs_is_the_eighth(tmp_path: Path, dialect: Dialect) -> None:
    """The public walk-through's losses: 0.1991 after the eighth epoch, 0.2286 after the last. Five rows, two in a step: three steps."""
    with serve(Script(), dialect=dialect) as server:
        walk = Walk(tmp_path, server)
        tuned = walk.run()
    assert [one.step for one in tuned.checkpoints] == [3 * epoch for epoch in range(1, 11)]
    assert (tuned.best.step, tuned.best.validation_loss, tuned.best.train_loss) == (24, 0.1991, 0.203)
    assert tuned.steps == 30
    assert str(tuned.best.name).endswith(":ckpt-step-24")
    assert tuned.source == f"{tuned.job}:{tuned.best.id}"


def test_without_validation_rows_it_is_the_last(tmp_path: Path) -> None:
    with serve(Script(), dialect="openai") as server:
        tuned = Walk(tmp_path, server, validation=False).run()
    assert tuned.best.step == 30 and tuned.best.validation_loss is None


def test_more_checkpoints_than_a_page_has_are_all_seen(tmp_path: Path) -> None:
    losses = [(1.0, 1.0)] * 20
    losses[2] = (1.0, 0.5)
    with serve(Script(jobs=Jobs(losses=tuple(losses))), dialect="openai") as server:  # its first page begins with the last epoch
        tuned = Walk(tmp_path, server, epochs=20).run()
    assert (len(tuned.checkpoints), tuned.best.step) == (20, 9)


def test_its_events_come_once_and_in_their_order(tmp_path: Path) -> None:
    with serve(Script(jobs=Jobs(seconds=3000)), dialect="nebius") as server:  # five looks
        walk = Walk(tmp_path, server)
        walk.run()
    said = walk.said("job event")
    assert said[:3] == ["Job is submitted", "Dataset 'validation' processed successfully", "Dataset 'training' processed successfully"]
    assert said[3:13] == [
        f"Step {3 * epoch}: training loss={loss}"
        for epoch, loss in enumerate([2.114, 1.149, 0.662, 0.424, 0.306, 0.248, 0.218, 0.203, 0.195, 0.19], 1)
    ]
    assert said[13:] == ["Training completed successfully"]
    done = [(event["done"], event["total"]) for event in walk.events if event["event"] == "progress"]
    assert done == sorted(done) and done[-1] == (30, 30)


def test_each_state_is_told_once(tmp_path: Path) -> None:
    with serve(Script(jobs=Jobs(seconds=3000)), dialect="nebius") as server:
        walk = Walk(tmp_path, server)
        job = walk.run().job
    assert [(one["job"], one["state"]) for one in walk.events if one["event"] == "job"] == [(job, "running"), (job, "succeeded")]


def test_of_a_list_that_begins_with_the_oldest_event_only_what_is_new_is_asked_for(tmp_path: Path) -> None:
    with serve(Script(jobs=Jobs(seconds=3000, events="oldest_first")), dialect="nebius") as server:
        walk = Walk(tmp_path, server)
        walk.run()
        asked = [call["query"] for call in server.calls() if call["path"].endswith("/events")]
    assert len(walk.said("job event")) == 14 and len(asked) == 5
    assert ["after=ftevent-" in query for query in asked] == [False, True, True, True, True]


@pytest.mark.parametrize("fault", [Fault(status=404), Fault(status=500, times=7), Fault(kind="html", times=2)], ids=lambda one: one.kind)
def test_a_job_whose_events_are_not_to_be_had_goes_on(tmp_path: Path, fault: Fault) -> None:
    there = fault.model_copy(update={"method": "GET", "path": "/v1/fine_tuning/jobs/*/events"})
    with serve(Script(jobs=Jobs(seconds=3000), faults=(there,)), dialect="nebius") as server:
        walk = Walk(tmp_path, server)
        assert walk.run().best.step == 24
        asked = [call for call in server.calls() if call["path"].endswith("/events")]
    [warning] = walk.said("warning")
    assert warning.endswith("are not to be had; waiting on")
    assert len(walk.said("job event")) == (0 if fault.status == 404 else 14)
    assert len(asked) == 1 or fault.status != 404, "what an API does not have is asked for once"


def test_where_no_checkpoints_are_shown_the_last_weights_are_kept(tmp_path: Path) -> None:
    hidden = Fault(status=404, method="GET", path="/v1/fine_tuning/jobs/*/checkpoints")
    with serve(Script(faults=(hidden,)), dialect="generic") as server:
        walk = Walk(tmp_path, server)
        tuned = walk.run()
    assert (tuned.best.name or "").startswith(f"ft:{BASE}:") and "ckpt" not in (tuned.best.name or "")
    assert (tuned.best.step, tuned.source) == (30, tuned.job)
    assert "its last weights are kept" in walk.said("warning")[0]


def test_checkpoints_without_a_step_are_an_epoch_each(tmp_path: Path) -> None:
    """The recorded shape: an id, two losses and files. Ten of them, thirty steps, the eighth is the best."""
    with serve(Script(jobs=Jobs(checkpoints="recorded")), dialect="nebius") as server:
        walk = Walk(tmp_path, server)
        tuned = walk.run()
    assert [one.step for one in tuned.checkpoints] == [3 * epoch for epoch in range(1, 11)]
    assert (tuned.best.step, tuned.best.validation_loss, tuned.best.name) == (24, 0.1991, None)
    assert len(walk.fetched) == 2


def test_a_file_without_a_name_gets_a_number(tmp_path: Path) -> None:
    nameless = Fault(kind="other_shape", method="GET", path="/v1/files/file-*")
    with serve(Script(), dialect="nebius") as server:
        walk = Walk(tmp_path, server)
        server.change(Script(faults=(nameless,)))
        walk.run()
    assert walk.fetched == ["file-0", "file-1"]


def test_a_state_that_nobody_knows_is_waited_for(tmp_path: Path) -> None:
    with serve(Script(jobs=Jobs(state="warming_up", seconds=3000)), dialect="nebius") as server:
        walk = Walk(tmp_path, server)
        assert walk.run().best.step == 24
    [warning] = walk.said("warning")
    assert "warming_up" in warning


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="cut", path="/v1/fine_tuning/jobs", times=1),
        Fault(kind="half", path="/v1/fine_tuning/jobs", times=1),
        Fault(kind="no_body", path="/v1/fine_tuning/jobs", times=1),
        Fault(status=500, path="/v1/files", times=1),
        Fault(status=429, retry_after="0.01", method="*", path="/v1/fine_tuning/*", times=1),
        Fault(kind="reset", method="GET", path="/v1/fine_tuning/jobs/*/checkpoints", times=1),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status} {fault.path}",
)
def test_whatever_breaks_there_is_one_job(tmp_path: Path, fault: Fault) -> None:
    with serve(Script(faults=(fault,)), dialect="nebius") as server:
        walk = Walk(tmp_path, server)
        assert walk.run().best.step == 24
        made = {call["path"].split("/")[4] for call in server.calls() if call["path"].startswith("/v1/fine_tuning/jobs/")}
    assert len(made) == 1


def test_after_patience_the_job_goes_on_and_the_next_try_waits_for_the_same_one(tmp_path: Path) -> None:
    with serve(Script(jobs=Jobs(seconds=30_000)), dialect="nebius") as server:
        walk = Walk(tmp_path, server)
        with pytest.raises(Exception, match="has not ended within 1e-05 h"):
            walk.run(patience=0.00001)
        first = read_job(tmp_path / "tuning.job.json").id
        tuned = walk.run()
        assert walk.posted("/v1/fine_tuning/jobs") == 1 and walk.posted("/v1/files") == 2
    assert tuned.job == first


def test_a_job_that_is_cancelled_is_no_longer_billed(tmp_path: Path) -> None:
    with serve(Script(jobs=Jobs(seconds=30_000)), dialect="nebius") as server:
        walk = Walk(tmp_path, server)
        with pytest.raises(Exception, match="has not ended"):
            walk.run(patience=0.00001)

        async def stop() -> Cancelled:
            client = Client(Endpoint(base_url=server.url, name=BASE), "a-key", pace=Pace(1))
            try:
                return await cancel(client, read_job(tmp_path / "tuning.job.json"), STATES.ended)
            finally:
                await client.close()

        assert asyncio.run(stop()) is Cancelled.NOW
        with pytest.raises(JobFailed, match="was cancelled") as raised:
            walk.run()
        billed = server.totals()["totals"][f"{BASE} training"]["trained_tokens"]
        server.advance(100_000)
        assert server.totals()["totals"][f"{BASE} training"]["trained_tokens"] == billed == raised.value.trained_tokens


def test_rows_that_the_platform_refuses_are_named(tmp_path: Path) -> None:
    with serve(Script(), dialect="nebius") as server:
        walk = Walk(tmp_path, server)
        walk.files["training_file"].write_text('{"messages": [{"role": "user", "content": "no answer"}]}\n', encoding="utf-8")
        with pytest.raises(JobFailed, match="line 1: the last message must be the assistant's") as raised:
            walk.run()
    assert raised.value.trained_tokens == 0


def test_names_from_elsewhere_do_not_leave_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    with serve(Script(jobs=Jobs(names="../../{name}")), dialect="nebius") as server:
        walk = Walk(inside, server)
        walk.run()
    assert sorted(walk.fetched) == ["adapter_config.json", "adapter_model.safetensors"]
    assert {path.parent for path in tmp_path.rglob("adapter_*")} == {inside / "weights"}


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("checkpoint-8/adapter_config.json", "adapter_config.json"),
        ("../../etc/passwd", "passwd"),
        ("C:\\windows\\win.ini", "win.ini"),
        ("..", None),
        ("a/..", None),
        ("", None),
        (".bashrc", None),
        ("a\0b", None),
        ("a\n", None),
        ("x" * 300, None),
    ],
)
def test_a_safe_name_is_the_last_part_or_none(said: str, name: str | None) -> None:
    assert safe_name(said) == name


@pytest.mark.parametrize(
    ("losses", "step"),
    [([0.5, 0.2, 0.3], 2), ([0.5, 0.2, 0.2], 2), ([None, None, None], 3), ([0.4, None, 0.5], 1)],
)
def test_of_equal_checkpoints_the_earlier_is_best(losses: Sequence[float | None], step: int) -> None:
    found = [Checkpoint(id=str(number), step=number, validation_loss=loss) for number, loss in enumerate(losses, 1)]
    assert best(found).step == step


def test_a_long_name_leaves_room_for_the_token() -> None:
    said = suffix("x" * 100, "0123456789abcdef")
    assert len(said) == 64 and said.endswith("-0123456789abcdef")


def test_an_example_is_a_conversation_a_line(tmp_path: Path) -> None:
    write_examples(tmp_path / "rows.jsonl", [TALK, [{"role": "user", "content": "ü\n"}, {"role": "assistant", "content": "\u2028"}]])
    lines = (tmp_path / "rows.jsonl").read_bytes().split(b"\n")
    assert [json.loads(line)["messages"][-1]["content"] for line in lines if line] == ["She goes.", "\u2028"]


class LongList:
    """A client of an API with 250 events, listed from the newest on. `pages`: how many were asked for."""

    def __init__(self) -> None:
        self.events = [{"id": f"e{number}", "created_at": number} for number in range(250)]
        self.pages = 0

    async def ask(self, method: str, path: str) -> Any:
        self.pages += 1
        newest = self.events[::-1]
        start = next((at for at, event in enumerate(newest, 1) if path.endswith(f"&after={event['id']}")), 0)
        return {"data": newest[start : start + 100], "has_more": start + 100 < len(newest)}


def test_of_a_long_list_that_begins_with_the_newest_event_a_page_is_read() -> None:
    there = LongList()
    events = Events(cast(Client, there), "/events")
    assert len(asyncio.run(events.new())) == 250 and there.pages == 3
    there.events += [{"id": "e250", "created_at": 250}, {"id": "e251", "created_at": 251}]
    assert [event["id"] for event in asyncio.run(events.new())] == ["e250", "e251"]
    assert there.pages == 4
