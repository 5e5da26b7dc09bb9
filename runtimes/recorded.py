"""Reports that runs have made, out of the store, with the wall times that only the journal knows."""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distillc.compiler.plan import without_cell
from distillc.runtimes.journal import Journal, RunState
from distillc.runtimes.report import wall
from distillc.runtimes.store import Sealed, Store
from distillc.spec.errors import UsageError

NOTHING_HERE = "run a spec first: distillc run distill.yaml; or go where one ran, or name its store with --store"


@dataclass(frozen=True, slots=True)
class Recorded:
    """`report` is the dict of `report --format json`, `details` what the page shows beyond it. `seconds` cover every attempt at a stage."""

    run: str
    stage: str
    report: dict[str, Any]
    details: dict[str, Any]


def recorded(store: Store, run: str | None = None) -> list[Recorded]:
    """The reports of a run, in the order of its plan: of the newest that has one, or of the one whose id begins so.

    Raises UsageError when there is none.
    """
    path = store.home / "journal.sqlite3"
    if run is not None and (not path.exists() or "/" in run):
        raise UsageError(f"there is neither a run nor a bundle {run!r}", where=str(store.home), help="name a run or a bundle's folder")
    if not path.exists():
        raise UsageError("nothing has run here yet", where=str(store.home), help=NOTHING_HERE)
    journal = Journal(path)
    try:
        candidates = [one for one in journal.runs() if run is None or one.id.startswith(run)]
        if not candidates:
            raise UsageError(f"there is no run {run!r}", where=str(store.home), help="distillc status shows the newest")
        seconds = _seconds(journal)
        for candidate in candidates:
            if found := _of(candidate, journal, store, seconds):
                return found
    finally:
        journal.close()
    raise UsageError("no run has come as far as a report", where=str(store.home), help="distillc status says where the newest stands")


def _of(run: RunState, journal: Journal, store: Store, seconds: dict[str, float]) -> list[Recorded]:
    stages = journal.stages(run.id)
    found = []
    for stage in stages:
        sealed = store.sealed(stage.key) if stage.kind == "report" else None
        if sealed is None:
            continue
        graph = _graph(sealed, store)
        known = {key: took for key, one in graph.items() if (took := _took(key, one, journal, seconds)) is not None}
        report, details = (_read(store, sealed, name) for name in ("report.json", "details.json"))
        inputs = {key: dict(one.inputs) for key, one in graph.items()}
        names = {without_cell(one.stage): key for key, one in graph.items()}  # a report is of one cell
        models = {row["name"]: names[row["name"]] for row in report.get("rows", ()) if row["name"] in names}
        details["stages"] = [{"id": one.stage, "seconds": known[key]} for key, one in graph.items() if key in known]
        for name, curve in details.get("curves", {}).items():
            curve["seconds"] = known.get(names.get(name, ""))
        timed = wall.with_times(report, wall.chains(models, inputs, known))
        found.append(Recorded(run.id, stage.id, timed, details))
    return found


def _read(store: Store, sealed: Sealed, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(store.file(sealed, name).read_bytes()) if name in sealed.files else {}
    return found


def _graph(sealed: Sealed, store: Store) -> dict[str, Sealed]:
    """Everything that a report hangs on, itself among it, by key."""
    graph: dict[str, Sealed] = {}
    waiting = [sealed]
    while waiting:
        at = waiting.pop()
        if at.key not in graph:
            graph[at.key] = at
            waiting += [one for key in at.inputs.values() if (one := store.sealed(key)) is not None]
    return graph


def _seconds(journal: Journal) -> dict[str, float]:
    """Seconds by key over all runs: attempts that were interrupted count, for they are time that it took."""
    total: defaultdict[str, float] = defaultdict(float)
    for run in journal.runs():
        for stage in journal.stages(run.id):
            if stage.seconds is not None:
                total[stage.key] += stage.seconds
    return dict(total)


def _took(key: str, sealed: Sealed, journal: Journal, seconds: dict[str, float]) -> float | None:
    """Of an adopted artifact: what the one took that it was adopted from."""
    if key in seconds or not sealed.content_key:
        return seconds.get(key)
    return seconds.get(journal.find(sealed.content_key) or "")


def from_bundle(folder: Path) -> dict[str, Any]:
    """The report inside a bundle. Raises UsageError for a folder that is none."""
    path = folder / "evaluation.json"
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except OSError as error:
        reason = f"no report in this folder: evaluation.json: {error.strerror}"
        raise UsageError(reason, where=str(folder), help="name a bundle, or a run") from None
    except ValueError as error:
        raise UsageError(f"no report in this folder: evaluation.json: {error}", where=str(folder), help="name a bundle, or a run") from None
    if not {"run", "rows", "gates"} <= set(found):
        raise UsageError("evaluation.json is no report", where=str(path), help="distillc verify says whether the bundle is whole")
    return found
