"""Overlap: no test row may stand among the rows that a model is trained on, or its test shows what it remembers.

A test row counts as found when a training row has its input, or one of its targets where that has at least `WORDS` words: short targets
("yes", "None") are shared by rows that have nothing to do with each other. Texts are compared as the curator `decontaminate` does,
without case, punctuation and spacing, so that what went through it never fails here.
"""

from collections.abc import Iterable
from typing import Any

from distillc.plugins.api.artifacts import Row
from distillc.runtimes.stages.context import StageContext
from distillc.runtimes.texts import words
from distillc.spec.errors import StageFailed

WORDS = 6
SHOWN = 80  # characters of the example

Mark = tuple[str, str]
"""(`input` or `target`, the words of the text)."""


def run(context: StageContext) -> dict[str, Any]:
    """Meta: {"rows": n of training, "tests": {data set: {"rows": n, "overlap": 0}}}. Raises StageFailed for any row that is in both."""
    config = context.config
    rows = context.rows("rows")
    trained = {mark for row in rows for mark in marks(row)}
    counts, met, example = {}, [], ""
    for data, name in config["tests"].items():
        tests = context.rows(f"test.{data}")
        found = [row for row in tests if not trained.isdisjoint(marks(row))]
        counts[data] = {"rows": len(tests), "overlap": len(found)}
        if found:
            met.append((len(found), len(tests), name))
            example = example or shown(found[0], trained)
    if met:
        raise StageFailed(
            f"{_listed(met)} stand in the training rows of {config['step']!r}, for example {example!r}",
            where=context.stage.id,
            help=way_out(config["data"], [name for *_, name in met]),
        )
    context.emit("no overlap", step=config["step"], rows=len(rows), tests=counts)
    return {"rows": len(rows), "tests": counts}


def marks(row: Row) -> Iterable[Mark]:
    """What a row is recognised by."""
    for name, text in _texts(row):
        found = words(text)
        if len(found) >= (WORDS if name == "target" else 1):
            yield name, " ".join(found)


def shown(row: Row, trained: set[Mark]) -> str:
    """The text that a test row shares with a training row, on one line."""
    text = next(text for name, text in _texts(row) if (name, " ".join(words(text))) in trained)
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"


def way_out(data: str, names: list[str]) -> str:
    """The two ways, in the words of the spec."""
    against = f"{{uses: decontaminate, against: [{', '.join(names)}]}}"
    return (
        f"take them out, `curate: clean: {{from: {data}, steps: [{against}]}}`, and train on `clean`; "
        "or keep what belongs together on one side: `split: {by: module}`"
    )


def _texts(row: Row) -> Iterable[tuple[str, str]]:
    """The input, then the target or the references."""
    payload = row.payload
    yield "input", str(payload.get("input") or "")
    yield from (("target", str(text)) for text in payload.get("references") or [payload.get("target") or ""])


def _listed(met: list[tuple[int, int, str]]) -> str:
    return " and ".join(f"{found} of {rows} rows of the test set {name!r}" for found, rows, name in met)
