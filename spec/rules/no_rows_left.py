"""Limits leave no rows for training.

Why: `split` takes its validation and test rows first, and `skip` passes over rows before `limit` counts. Where a source is read in
part, the parts may not reach; the run then stops, after everything before it was made.

Example:

    data:
      prose: {uses: docstrings, packages: [email, asyncio], limit: 1000, split: {validation: 200, test: 300}}
    generate:
      learner: {from: prose, skip: 500, steps: [{uses: corrupt, gold: drop}]}     # 500 rows are left for training

Use instead:

    data:
      prose: {uses: docstrings, packages: [email, asyncio], limit: 1000, split: {validation: 200, test: 300}}
    generate:
      learner: {from: prose, skip: 100, steps: [{uses: corrupt, gold: drop}]}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import Node, uses
from distillc.spec.rows import Rows, all_rows, step_of
from distillc.spec.rules import Context, error
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    found = all_rows(context)
    for step in found.values():
        if step.most("train") != 0:
            continue
        if step.section == "data":
            split, limit = context.at("data", step.name, "split"), _limit(step, context)
            if split is not None:
                label = (Label(limit.span, "rows in all"),) if limit else ()
                yield error("D309", "the split leaves no rows for training", split.span, "ask for fewer, or read more", related=label)
        elif step.section == "generate" and step.source:
            yield from _passed_over(step, found[step.source], context)


def _limit(step: Rows, context: Context) -> Node | None:
    """The field of the source that bounds its rows."""
    field = context.table.capabilities("sources", uses(step_of(step, context)) or "").get("rows")
    return context.at("data", step.name, field) if isinstance(field, str) else None


def _passed_over(step: Rows, source: Rows, context: Context) -> Iterator[Diagnostic]:
    """Only the first step that is left with nothing: those made from it are not to blame."""
    skip = context.at("generate", step.name, "skip")
    if skip is not None and source.at_most:
        message = f"all rows are passed over: `{shorten(source.name)}` has at most {source.at_most:,} for training"
        yield error("D309", message, skip.span, "skip fewer, or read more")
