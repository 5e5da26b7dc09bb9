"""Keeps the rows that a curator keeps, and counts the others by reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from distillc.plugins.api.artifacts import Row, Task
from distillc.plugins.api.curators import Curator
from distillc.plugins.api.manifest import Kind
from distillc.runtimes.stages.context import StageContext
from distillc.runtimes.store.rows import write_artifact
from distillc.spec.errors import StageFailed


class _Context:
    """Implements `CurateContext`: port `FIELD.n` holds what the n-th reference of the field names."""

    def __init__(self, stage: StageContext) -> None:
        self._stage = stage

    @property
    def task(self) -> Task:
        return self._stage.task

    def rows(self, field: str) -> Mapping[str, Sequence[Row]]:
        written = self._stage.config[field]
        references = [written] if isinstance(written, str) else list(written or ())
        return {reference: self._stage.rows(f"{field}.{number}") for number, reference in enumerate(references)}


def run(context: StageContext) -> dict[str, Any]:
    rows = context.rows("rows")
    curator: Curator = context.plugin(Kind.CURATORS)
    verdicts = list(curator.judge(rows, _Context(context)))
    if len(verdicts) != len(rows):
        raise StageFailed(f"curator '{context.stage.uses}' judged {len(verdicts)} of {len(rows)} rows", where=context.stage.id)
    dropped = Counter(reason for reason in verdicts if reason is not None)
    kept = write_artifact(context.out, (row for row, reason in zip(rows, verdicts, strict=True) if reason is None))
    if not kept:
        reasons = ", ".join(f"{reason} {n}" for reason, n in sorted(dropped.items())) or "none came in"
        raise StageFailed(f"no row is left: {reasons}", where=context.stage.id, help=f"loosen '{context.stage.uses}', or give it more rows")
    context.emit("rows dropped", reasons=dict(sorted(dropped.items())))
    return {"rows": kept, "generated": len(rows), "kept": sum(kept.values()), "dropped": dict(sorted(dropped.items()))}
