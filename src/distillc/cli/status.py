"""`distillc status [RUN]`: where a run stands, stage by stage. Without a name: the newest."""

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillc.spec.errors import UsageError

if TYPE_CHECKING:
    from distillc.runtimes.journal import RunState, StageState
    from distillc.runtimes.ledger import Amount


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="a run's name, or how it begins (default: the newest)")
    parser.add_argument("--store", metavar="PLACE", help="a folder or a URL (default: DISTILLC_STORE, else .distillc of this repository)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how it is printed")


def run(args: argparse.Namespace) -> int:
    from distillc.runtimes.events import read_events
    from distillc.runtimes.journal import Journal
    from distillc.runtimes.ledger import ledger, total
    from distillc.runtimes.lock import held
    from distillc.runtimes.recorded import NOTHING_HERE
    from distillc.runtimes.store import open_store

    home = open_store(args.store).home
    if not (home / "journal.sqlite3").exists():
        raise UsageError("nothing has run here yet", where=str(home), help=NOTHING_HERE)
    journal = Journal(home / "journal.sqlite3")
    found = pick(journal.runs(), args.run, home)
    stages = journal.stages(found.id)
    # A run that says it is running while nobody holds the lock was killed; an older one than the newest cannot be the holder.
    running = found.state == "running" and held(home) and found.id == journal.runs()[0].id
    state = found.state if found.state != "running" or running else "killed"
    rows = ledger([read_events(home / "runs" / found.id / "events.jsonl")], {stage.key for stage in stages})
    paid = {stage.key: total(row for row in rows if row.key == stage.key) for stage in stages}
    journal.close()
    if args.format == "json":
        print(json.dumps(as_json(found, state, stages, paid), indent=1, ensure_ascii=False))
    else:
        print("\n".join(as_text(found, state, stages)))
    return 0


def pick(runs: "list[RunState]", name: str | None, home: Path) -> "RunState":
    """The newest run, or the one whose name begins so. Raises UsageError for none or several."""
    matching = [one for one in runs if name is None or one.id.startswith(name)]
    exact = [one for one in matching if one.id == name]
    if not matching:
        raise UsageError(
            f"there is no run {name!r}" if name else "nothing has run here yet", where=str(home), help="distillc status lists the newest"
        )
    if name is not None and len(matching) > 1 and not exact:
        raise UsageError(f"several runs begin with {name!r}: {', '.join(one.id for one in matching[:5])}", help="give more of the name")
    return (exact or matching)[0]


def as_text(found: "RunState", state: str, stages: "list[StageState]") -> list[str]:
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
    return lines


def as_json(found: "RunState", state: str, stages: "list[StageState]", paid: "dict[str, Amount]") -> dict[str, Any]:
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
    }
