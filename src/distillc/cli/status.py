"""`distillc status [RUN]`: where a run stands, stage by stage. Without a name: the newest."""

import argparse
import json
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from distillc.cli import which_run
from distillc.cli.progress import amounts
from distillc.cli.row_counts import in_words
from distillc.runtimes.row_counts import counts_in

if TYPE_CHECKING:
    from distillc.runtimes.journal import RunState, StageState
    from distillc.runtimes.ledger import Amount
    from distillc.runtimes.open_jobs import OpenJob


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which_run.add_arguments(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how it is printed")


def run(args: argparse.Namespace) -> int:
    from distillc.runtimes.events import read_events
    from distillc.runtimes.ledger import ledger, total
    from distillc.runtimes.lock import held
    from distillc.runtimes.open_jobs import open_jobs

    home, found, stages, newest = which_run.find(args)
    # A run that says it is running while nobody holds the lock was killed; an older one than the newest cannot be the holder.
    running = found.state == "running" and held(home) and newest
    state = found.state if found.state != "running" or running else "killed"
    events = list(read_events(home / "runs" / found.id / "events.jsonl"))
    rows = ledger([events], {stage.key for stage in stages})
    paid = {stage.key: total(row for row in rows if row.key == stage.key) for stage in stages}
    jobs = open_jobs(home)
    out = [(stage.id, job) for stage in stages for job in jobs.get(stage.key, ())]
    came = how_far(events)
    if args.format == "json":
        print(json.dumps(as_json(found, state, stages, paid, out, came), indent=1, ensure_ascii=False))
    else:
        print("\n".join(as_text(found, state, stages, out, came)))
    return 0


def how_far(events: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of each stage that said so: `done`, `total` and `unit` of what it is at work on, or once it has ended what became of its rows."""
    came: dict[str, dict[str, Any]] = {}
    for event in events:
        if counts := counts_in(event):
            came[event["stage"]] = counts
        elif "stage" in event and (found := amounts(event)):
            done, total, unit = found
            came[event["stage"]] = {"done": round(done), "total": round(total), "unit": unit}
    return came


def as_text(
    found: "RunState", state: str, stages: "list[StageState]", out: "list[tuple[str, OpenJob]]", came: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.started))
    lines = [f"{found.id}: {state}, started {started}" + (f", exit {found.exit}" if found.exit is not None else "")]
    if found.message:
        lines.append(f"  {found.message}")
    width = max((len(stage.id) for stage in stages), default=0)
    for stage in stages:
        # What a killed run left as running is not at work any more.
        shown = "interrupted" if stage.state == "running" and state == "killed" else stage.state
        seconds = f"{stage.seconds:8.1f} s" if stage.seconds is not None else ""
        lines.append(f"  {stage.id.ljust(width)}  {shown.ljust(11)}  {seconds.ljust(10)}  {_rows(came.get(stage.id, {}))}".rstrip())
    lines += [f"  {stage}: {job} is not collected yet" for stage, job in out]
    return [*lines, f"  to stop what is out: `distillc cancel {found.id}`"] if out else lines


def _rows(came: Mapping[str, Any]) -> str:
    if counts_in(came):
        return in_words(came)
    return f"{came['done']:,} of {came['total']:,} {came['unit']}" if came else ""


def as_json(
    found: "RunState",
    state: str,
    stages: "list[StageState]",
    paid: "dict[str, Amount]",
    out: "list[tuple[str, OpenJob]]",
    came: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    def tokens(key: str) -> dict[str, int]:
        one = paid[key]
        return {"prompt_tokens": one.prompt_tokens, "completion_tokens": one.completion_tokens, "trained_tokens": one.trained_tokens}

    return {
        "run": found.id,
        "name": found.name,
        "state": state,
        "started": found.started,
        "ended": found.ended,
        "exit": found.exit,
        "message": found.message,
        "stages": [
            {
                "id": one.id,
                "kind": one.kind,
                "key": one.key,
                "state": one.state,
                "seconds": one.seconds,
                **tokens(one.key),
                "rows": came.get(one.id),
            }
            for one in stages
        ],
        "jobs": [{"stage": stage, **job._asdict()} for stage, job in out],
    }
