"""A model tuned on somebody's platform: rows go there as files, a job is made and waited for, and its best checkpoint is kept.

What was done stands in the job's file (`jobs.py`), so that a walk that was killed goes on: no file that arrived is sent again, and no
second job is made. Two shapes of reply are known: OpenAI's, and Nebius' (recorded: its jobs name no tuned model, its checkpoints have
files). What either leaves out is passed over.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.failures import Rejected
from distillc.runtimes.remote.files import download, listed, upload
from distillc.runtimes.remote.jobs import Job, States, Told, Watch, submit
from distillc.runtimes.remote.tuning_events import NO_SUCH_PAGE, Events
from distillc.spec.errors import StageFailed

PLACE = "/fine_tuning/jobs"
STATES = States(
    active=frozenset({"validating_files", "validating", "queued", "pending", "running", "paused", "cancelling"}),
    ended=frozenset({"succeeded", "failed", "cancelled"}),
)
LONGEST_SUFFIX = 64
LOSSES = ("full_valid_loss", "valid_loss")  # OpenAI's `valid_loss` is that of a few rows
_NAME = re.compile(r"\w[\w.+=@-]{0,199}")  # no separator, no drive, nothing hidden

Emit = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """`name`: by which it can be asked, where the platform says one. `files`: ids of its weights, where it shows them."""

    id: str
    step: int
    train_loss: float | None = None
    validation_loss: float | None = None
    name: str | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tuned:
    """How a job ended well. `checkpoints` by step; `best` is one of them."""

    job: str
    best: Checkpoint
    checkpoints: tuple[Checkpoint, ...]
    trained_tokens: int
    steps: int

    @property
    def source(self) -> str:
        """What a platform that serves checkpoints under a name of their own calls this one."""
        return f"{self.job}:{self.best.id}" if self.best.id else self.job


class JobFailed(StageFailed):
    """The job has ended, and not well. `trained_tokens` may be billed all the same."""

    def __init__(self, message: str, *, help: str, trained_tokens: int, cancelled: bool) -> None:
        super().__init__(message, help=help)
        self.trained_tokens, self.cancelled = trained_tokens, cancelled


def write_examples(path: Path, examples: Iterable[Sequence[Mapping[str, str]]]) -> None:
    with path.open("wb") as file:
        file.writelines(map(example_line, examples))


def example_line(messages: Sequence[Mapping[str, str]]) -> bytes:
    """A conversation; its last message is the answer that is learned. What a template adds is less than the JSON is."""
    return json.dumps({"messages": list(messages)}, ensure_ascii=False).encode() + b"\n"


def suffix(name: str, token: str) -> str:
    """By which a job is known on the other side: the name for people, the token for us."""
    return f"{name[: LONGEST_SUFFIX - len(token) - 1]}-{token}"


async def tune(
    client: Client, job: Job, body: Mapping[str, Any], files: Mapping[str, Path], *, emit: Emit, look: float, patience: float
) -> Tuned:
    """Sends `files` (by their names in the request, `training_file` say), makes the job, and waits until it has ended.

    `look`: seconds between two looks, at most; `patience`: hours. Raises JobFailed for a job that did not end well: the next try is another
    job then.
    """
    for name, file in files.items():
        if name not in job.uploads and job.id is None:
            job.uploads[name] = await upload(client, file, name=f"distillc-{job.token}-{name}.jsonl", purpose="fine-tune")
            job.save()
    if job.id is None:
        await submit(client, job, {**body, **job.uploads})
        emit("job submitted", place=PLACE, job=job.id)
    progress = _Progress(client, job, emit)
    _, told = await Watch(client, STATES, tell=progress.tell, warn=progress.warn, longest=look, patience=patience).ended([job])
    tokens = _whole(told.get("trained_tokens"))
    if str(told["status"]).lower() != "succeeded":
        raise _failed(client, job, told, tokens)
    steps = _whole(told.get("trained_steps"))
    checkpoints = _checkpoints(await _listed_checkpoints(client, job, progress.warn), steps)
    last = checkpoints[-1] if checkpoints else Checkpoint(id="", step=steps)
    if (model := told.get("fine_tuned_model")) and not last.name:
        last = replace(last, name=str(model))
    checkpoints = (*checkpoints[:-1], last)
    return Tuned(str(job.id), best(checkpoints), checkpoints, tokens, steps or checkpoints[-1].step)


async def _listed_checkpoints(client: Client, job: Job, warn: Callable[[str], None]) -> list[Mapping[str, Any]]:
    """None where the API has no such list: the job is done, and paid for."""
    try:
        return [one async for one in listed(client, f"{PLACE}/{quote(str(job.id))}/checkpoints")]
    except Rejected as error:
        if error.status not in NO_SUCH_PAGE:
            raise
        warn(f"{error.message}: job {job.id} shows no checkpoints; its last weights are kept")
        return []


def best(checkpoints: Sequence[Checkpoint]) -> Checkpoint:
    """That of the least loss on validation rows; the last one, where nothing is said of them."""
    judged = [one for one in checkpoints if one.validation_loss is not None]
    return min(judged, key=lambda one: (one.validation_loss, one.step)) if judged else checkpoints[-1]


async def fetch(client: Client, checkpoint: Checkpoint, folder: Path) -> list[str]:
    """The checkpoint's files, where it has any. A name that somebody else wrote never leads out of `folder`."""
    names: list[str] = []
    for number, file_id in enumerate(checkpoint.files):
        told = await client.ask("GET", f"/files/{quote(file_id)}")
        said = told.get("filename") if isinstance(told, Mapping) else None
        name = safe_name(str(said or "")) or f"file-{number}"
        name = f"{number}-{name}" if name in names else name
        folder.mkdir(parents=True, exist_ok=True)
        await download(client, file_id, folder / name)
        names.append(name)
    return names


def safe_name(said: str) -> str | None:
    """The last part of a path, where it is fit to be the name of a file."""
    name = re.split(r"[/\\]", said)[-1]
    return name if _NAME.fullmatch(name) else None


class _Progress:
    """Tells how a job is doing, each thing once."""

    def __init__(self, client: Client, job: Job, emit: Emit) -> None:
        self._emit = emit
        self._events = Events(client, f"{PLACE}/{quote(str(job.id))}/events")
        self._state = ""
        self._warned: set[str] = set()

    async def tell(self, job: Job, told: Told) -> None:
        """After a look: its state, what has happened since the last one, and how far it is."""
        if (state := str(told["status"])) != self._state:
            self._state = state
            self._emit("job", job=job.id, state=state)
        try:
            for event in await self._events.new():
                message = " ".join(str(event.get("message")).split())[:300]
                self._emit("job event", job=job.id, level=str(event.get("level")), message=message)
        except StageFailed as error:
            self.warn(f"{error.message}: the events of job {job.id} are not to be had; waiting on")
        total = _whole(told.get("total_steps"))
        if total:
            self._emit("progress", done=_whole(told.get("trained_steps")), total=total, unit="steps")

    def warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self._emit("warning", message=message)


def _checkpoints(told: Sequence[Mapping[str, Any]], steps: int) -> tuple[Checkpoint, ...]:
    """By step. All are judged by the same loss. Where no step is told they are as listed, and spread evenly over the `steps` of the job: an
    epoch each (recorded)."""
    metrics = [said if isinstance(said := one.get("metrics"), Mapping) else {} for one in told]
    loss = next((name for name in LOSSES if any(_number(said.get(name)) is not None for said in metrics)), LOSSES[0])
    found = [
        Checkpoint(
            id=str(one.get("id")),
            step=_whole(one.get("step_number")) or _whole(said.get("step")) or (steps or len(told)) * number // len(told),
            train_loss=_number(said.get("train_loss")),
            validation_loss=_number(said.get(loss)),
            name=str(one["fine_tuned_model_checkpoint"]) if one.get("fine_tuned_model_checkpoint") else None,
            files=tuple(map(str, files)) if isinstance(files := one.get("result_files"), list) else (),
        )
        for number, (one, said) in enumerate(zip(told, metrics, strict=True), 1)
    ]
    return tuple(sorted(found, key=lambda one: one.step))


def _failed(client: Client, job: Job, told: Told, tokens: int) -> JobFailed:
    cancelled = str(told["status"]).lower() == "cancelled"
    if cancelled:
        message, help = f"job {job.id} was cancelled", "run again to begin anew"
    else:
        error = told.get("error")
        said = error.get("message") if isinstance(error, Mapping) else error
        message = f"job {job.id} failed{': ' if said else ''}{' '.join(str(said or '').split())[:300]}"
        help = "mend what it names, and run again: that makes another job"
    return JobFailed(f"{client.endpoint}: {message}", help=help, trained_tokens=tokens, cancelled=cancelled)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _whole(value: Any) -> int:
    """0 for what is no number."""
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else 0
