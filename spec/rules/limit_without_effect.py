"""`limit` or `skip` stands where no training rows come in.

Why: both count training rows alone; validation and test rows pass whole, so that every step measures on the same ones. On rows of a
test split the number is ignored, and the test set is as large as before.

Example:

    generate:
      unseen: {from: prose.test, limit: 100, steps: [{uses: corrupt, errors: held_out}]}

Use instead:

    data:
      prose: {uses: docstrings, packages: [email, asyncio], split: {by: module, validation: 20, test: 100}}
    generate:
      unseen: {from: prose.test, steps: [{uses: corrupt, errors: held_out}]}

Fix: takes it out; it has no effect.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import fix, remove
from distillc.spec.nodes import MappingNode
from distillc.spec.rows import all_rows, step_of
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for step in all_rows(context).values():
        node = step_of(step, context)
        if step.section != "generate" or len(step.splits) != 1 or "train" in step.splits or not isinstance(node, MappingNode):
            continue
        for key in ("limit", "skip"):
            entry = node.entries.get(key)
            if entry:
                message = f"`{key}` counts training rows, and `{shorten(step.name)}` takes {step.splits[0]} rows alone"
                help = f"take it out; the `split` of their source says how many {step.splits[0]} rows there are"
                mend = fix(context, "take it out", remove(node, key), safe=True)
                yield warning("D311", message, entry.key_span, help, fix=mend)
