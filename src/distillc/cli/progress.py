"""Shows a run while it works: bars with rate and time left on a terminal, plain lines elsewhere. All of it on stderr.

Reads the events of the run's log, nothing else.
"""

import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol

from distillc.cli.row_counts import by_reason, in_words
from distillc.runtimes.row_counts import counts_in
from distillc.spec.render.paint import safe

EVERY = 10.0
"""Seconds between two plain lines about one stage."""
DONE = {"stage sealed": "done", "stage adopted": "adopted: the same work on the same bytes was done before", "stage skipped": "skipped"}


class Display(AbstractContextManager["Display"], Protocol):
    def __call__(self, event: Mapping[str, Any]) -> None: ...


def display() -> "Display":
    return Bars() if sys.stderr.isatty() else Lines()


def amounts(event: Mapping[str, Any]) -> tuple[float, float, str] | None:
    """(done, total, unit) of an event that tells how far a stage is, else None."""
    if "done" in event and "total" in event:
        return float(event["done"]), float(event["total"]), str(event.get("unit", ""))
    if "step" in event and "steps" in event:
        return float(event["step"]), float(event["steps"]), "steps"
    return None


def remark(event: Mapping[str, Any]) -> str | None:
    """What an event tells that is neither a beginning nor an end: a warning, a wait, where a job elsewhere stands, or what that says."""
    stage = safe(str(event.get("stage", "")))
    if event["event"] == "warning":
        return f"{stage}: warning: {safe(str(event['message']))}"
    if event["event"] == "waits":
        after = left(event["seconds"])
        wait = f"try {event['next']} of {event['tries']} in {after}" if "next" in event else f"waits {after}"
        return f"{stage}: {safe(str(event['model']))}: {safe(str(event['why']))}, {wait}"
    if event["event"] == "answers lost":
        return f"{stage}: of {event['of']:,} answers each are lost: " + "; ".join(
            f"{safe(model)} {by_reason(reasons)}" for model, reasons in event["models"].items()
        )
    if event["event"] == "job":
        return f"{stage}: {safe(str(event['job']))} is {safe(str(event['state']))}"
    if event["event"] == "job event":
        return f"{stage}: {safe(str(event['message']))}"
    return None


def ended(event: Mapping[str, Any]) -> str:
    """How a stage ended that did: `done in 12 s`, `27 of 40 kept (13 refused), 12 s`."""
    counts, seconds = counts_in(event), event.get("seconds")
    took = "" if seconds is None else f"{seconds:.1f} s" if seconds < 10 else left(seconds)
    if counts and event["event"] == "stage sealed":
        return f"{in_words(counts)}, {took}"
    return safe(str(event.get("message") or DONE[event["event"]])) + (f" in {took}" if took else "")


def left(seconds: float) -> str:
    """`12 s`, `3 min 20 s`, `1 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


class Lines:
    """A line when a stage starts and ends, and now and then how far it is."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[float, float]] = {}
        self._told: dict[str, float] = {}

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return

    def __call__(self, event: Mapping[str, Any]) -> None:
        name, stage = event["event"], safe(str(event.get("stage", "")))
        if name == "stage started":
            self._say(f"{stage}: {event['kind']}{' ' + str(event['uses']) if event.get('uses') else ''} …")
        elif name in DONE:
            self._say(f"{stage}: {ended(event)}")
        elif name in ("stage failed", "stage stopped"):
            self._say(f"{stage}: {name.removeprefix('stage ')}")
        elif (said := remark(event)) is not None:
            self._say(said)
        elif (found := amounts(event)) is not None:
            self._progress(stage, *found)

    def _progress(self, stage: str, done: float, total: float, unit: str) -> None:
        now = time.monotonic()
        start, before = self._first.setdefault(stage, (now, done))
        if now - self._told.get(stage, start) < EVERY:
            return
        self._told[stage] = now
        rate = (done - before) / (now - start) if now > start else 0.0
        rest = f", {rate:.1f} {unit}/s, {left((total - done) / rate)} left" if rate > 0 else ""
        self._say(f"{stage}: {done:.0f} of {total:.0f} {unit}{rest}")

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


class Bars:
    """A bar for each stage at work; what is finished stays above them as a line."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def __call__(self, event: Mapping[str, Any]) -> None:
        name, stage = event["event"], safe(str(event.get("stage", "")))
        if name == "stage started":
            self._tasks[stage] = self._progress.add_task(stage, total=None, rate="")
        elif name in DONE or name in ("stage failed", "stage stopped", "stage interrupted"):
            if stage in self._tasks:
                self._progress.remove_task(self._tasks.pop(stage))
            if name in DONE:
                self._progress.console.print(f"{stage}: {ended(event)}", markup=False, highlight=False)
        elif (said := remark(event)) is not None:
            self._progress.console.print(said, markup=False, highlight=False)
        elif stage in self._tasks and (found := amounts(event)) is not None:
            done, total, unit = found
            [speed] = [task.speed for task in self._progress.tasks if task.id == self._tasks[stage]]
            rate = f"{unit}, {speed:.1f}/s, {left((total - done) / speed)} left" if speed else unit
            self._progress.update(self._tasks[stage], completed=done, total=total, rate=rate)
