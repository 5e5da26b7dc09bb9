"""An evaluation has neither metrics nor judges.

Why: every model answers every test row, which is most of what an evaluation costs, and nothing looks at the answers. Where size and
speed are all that is wanted, `measure` says so.

Example:

    evaluate:
      test: {data: pairs.test, models: [small, student]}

Use instead:

    evaluate:
      test: {data: pairs.test, models: [small, student], metrics: [exact_match]}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import MappingNode, SequenceNode, entries
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("evaluate")):
        if not isinstance(step.value, MappingNode) or "measure" in step.value.entries or entries(step.value.get("gates")):
            continue
        metrics, judges = step.value.get("metrics"), step.value.get("judges")
        none_measured = metrics is None or (isinstance(metrics, SequenceNode) and not metrics.items)
        if none_measured and (judges is None or (isinstance(judges, MappingNode) and not judges.entries)):
            message = f"`{shorten(step.key)}` asks models for answers, and nothing looks at them"
            yield warning("D610", message, step.key_span, "add `metrics`, or `measure` if only size and speed are wanted")
