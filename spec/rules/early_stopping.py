"""A train step stops early and has no validation rows to decide by.

Early stopping looks at rows that the model is not trained on; without them it has nothing to look at.

    train:
      student: {…, validation: pairs.validation, early_stopping: {metric: errant_f0.5, patience: 2}}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
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
        data = text(step.value.get("data"))
        rows = shorten(split_name(data)[0]) if data else "NAME"
        yield error(
            "D401",
            f"`{shorten(step.key)}` stops early and has no validation rows",
            stopping.key_span,
            f"add `validation: {rows}.validation`",
        )
