"""Reads a source into rows. All of them are training rows until a split says otherwise."""

from dataclasses import replace
from typing import Any

from distillc.plugins.api.manifest import Kind
from distillc.plugins.api.sources import Source, SourceContext
from distillc.runtimes.stages.context import StageContext
from distillc.runtimes.stages.leaves import check_revisions
from distillc.runtimes.store.rows import write_artifact
from distillc.spec.errors import StageFailed


def run(context: StageContext) -> dict[str, Any]:
    uses = str(context.stage.uses)
    check_revisions(context, context.plugin_config(Kind.SOURCES, uses, context.config))
    source: Source = context.plugin(Kind.SOURCES)
    found = source.read(SourceContext(context.folder, context.task, context.seed))
    rows = write_artifact(context.out, (replace(row, split="train") for row in found))
    if not rows:
        read = ", ".join(sorted(context.config.get("revisions") or {})) or "what it reads"
        raise StageFailed(
            f"source '{uses}' gave no rows: the data set is empty",
            where=context.stage.id,
            help=f"check {read}, and the limits of this step",
        )
    total = sum(rows.values())
    return {"rows": rows, "generated": total, "kept": total, "dropped": {}}
