"""The run that a command is about: the one whose name is given, or begins so; by default the newest."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from distillc.spec.errors import UsageError

if TYPE_CHECKING:
    from distillc.runtimes.journal import RunState, StageState


class Found(NamedTuple):
    """`home` is the folder of the store on this machine; `newest`, whether no other run began later."""

    home: Path
    run: "RunState"
    stages: "list[StageState]"
    newest: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="a run's name, or how it begins (default: the newest)")
    parser.add_argument("--store", metavar="PLACE", help="a folder or a URL (default: DISTILLC_STORE, else .distillc of this repository)")


def find(args: argparse.Namespace) -> Found:
    """Raises UsageError for none or several."""
    from distillc.runtimes.journal import Journal
    from distillc.runtimes.recorded import NOTHING_HERE
    from distillc.runtimes.store import open_store

    home = open_store(args.store).home
    if not (home / "journal.sqlite3").exists():
        raise UsageError("nothing has run here yet", where=str(home), help=NOTHING_HERE)
    journal = Journal(home / "journal.sqlite3")
    try:
        runs = journal.runs()
        found = _pick(runs, args.run, home)
        return Found(home, found, journal.stages(found.id), found.id == runs[0].id)
    finally:
        journal.close()


def _pick(runs: "list[RunState]", name: str | None, home: Path) -> "RunState":
    matching = [one for one in runs if name is None or one.id.startswith(name)]
    exact = [one for one in matching if one.id == name]
    if not matching:
        raise UsageError(
            f"there is no run {name!r}" if name else "nothing has run here yet", where=str(home), help="distillc status lists the newest"
        )
    if name is not None and len(matching) > 1 and not exact:
        raise UsageError(f"several runs begin with {name!r}: {', '.join(one.id for one in matching[:5])}", help="give more of the name")
    return (exact or matching)[0]
