"""A train step stops early and has no validation rows to decide by.

Why: early stopping looks at rows that the model is not trained on; without them it has nothing to look at, and the training would not
start. In a public walk-through the loss on validation rows went flat after the second of ten epochs and was 15 % above its best at the
end, and the last checkpoint was kept (https://github.com/nebius/token-factory-cookbook).

Example:

    train:
      student: {model: small, data: clean, early_stopping: {patience: 2}, losses: {hard: cross_entropy}}

Use instead:

    train:
      student:
        {model: small, data: clean, validation: pairs.validation, early_stopping: {patience: 2}, losses: {hard: cross_entropy}}

Fix: adds the validation rows of the data that is trained on. Unsafe: they may have none.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import fix, insert
from distillc.spec.nodes import MappingNode, entries, text
from distillc.spec.references import split_name
from distillc.spec.rules import Context, error
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("train")):
        if not isinstance(step.value, MappingNode):
            continue
        stopping = step.value.entries.get("early_stopping")
        if stopping is None or not isinstance(stopping.value, MappingNode) or step.value.get("validation") is not None:
            continue
        from distillc.spec.fixes import written

        data = text(step.value.get("data"))
        rows = shorten(split_name(data)[0]) if data else "NAME"
        added = insert(step.value, "early_stopping", f"validation: {written(f'{rows}.validation')}") if data else None
        yield error(
            "D401",
            f"`{shorten(step.key)}` stops early and has no validation rows",
            stopping.key_span,
            f"add `validation: {rows}.validation`",
            fix=fix(context, f"add `validation: {rows}.validation`", added),
        )
