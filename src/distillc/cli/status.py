"""`distillc status [RUN]`: where a run stands, stage by stage. Without a name: the newest."""

import argparse
import json
import time
from typing import TYPE_CHECKING, Any

from distillc.cli import which_run

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
    rows = ledger([list(read_events(home / "runs" / found.id / "events.jsonl"))], {stage.key for stage in stages})
    paid = {stage.key: total(row for row in rows if row.key == stage.key) for stage in stages}
    jobs = open_jobs(home)
    out = [(stage.id, job) for stage in stages for job in jobs.get(stage.key, ())]
    if args.format == "json":
        print(json.dumps(as_json(found, state, stages, paid, out), indent=1, ensure_ascii=False))
    else:
        print("\n".join(as_text(found, state, stages, out)))
    return 0


def as_text(found: "RunState", state: str, stages: "list[StageState]", out: "list[tuple[str, OpenJob]]") -> list[str]:
    started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.started))
    lines = [f"{found.id}: {state}, started {started}" + (f", exit {found.exit}" if found.exit is not None else "")]
    if found.message:
        lines.append(f"  {found.message}")
    width = max((len(stage.id) for stage in stages), default=0)
    for stage in stages:
        # What a killed run left as running is not at work any more.
        shown = "interrupted" if stage.state == "running" and state == "killed" else stage.state
        seconds = f"{stage.seconds:8.1f} s" if stage.seconds is not None else ""
        lines.append(f"  {stage.id.ljust(width)}  {shown.ljust(11)}  {seconds}".rstrip())
    lines += [f"  {stage}: {job} is not collected yet" for stage, job in out]
    return [*lines, f"  to stop what is out: `distillc cancel {found.id}`"] if out else lines


def as_json(
    found: "RunState", state: str, stages: "list[StageState]", paid: "dict[str, Amount]", out: "list[tuple[str, OpenJob]]"
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
            {"id": one.id, "kind": one.kind, "key": one.key, "state": one.state, "seconds": one.seconds, **tokens(one.key)}
            for one in stages
        ],
        "jobs": [{"stage": stage, **job._asdict()} for stage, job in out],
    }
