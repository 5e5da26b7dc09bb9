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
from distillc.spec.nodes import at
from distillc.spec.rows import Rows, all_rows
from distillc.spec.rules import Context, error
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for step in all_rows(context).values():
        if step.most is None or step.most > 0 or step.split in ("validation", "test"):
            continue
        if step.section == "data":
            split, limit = at(step.node, "split"), at(step.node, "limit")
            if split is not None and limit is not None:
                label = Label(limit.span, "rows in all")
                yield error("D309", "the split leaves no rows for training", split.span, "ask for fewer, or read more", related=(label,))
        elif step.section == "generate" and step.source:
            yield from _passed_over(step, step.source)


def _passed_over(step: Rows, source: Rows) -> Iterator[Diagnostic]:
    """Only the first step that is left with nothing: those made from it are not to blame."""
    skip = at(step.node, "skip")
    if skip is not None and source.most is not None and source.most > 0:
        message = f"all rows are passed over: `{shorten(source.name)}` has at most {source.most:,} for training"
        yield error("D309", message, skip.span, "skip fewer, or read more")
