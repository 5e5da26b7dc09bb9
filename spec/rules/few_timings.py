"""Speed is measured so few times that its 95th percentile is the slowest of them.

Why: the report gives the median and the 95th percentile of `prompts` times `rounds` timings. With fewer than 20 the latter lies between
the two slowest, so that one hiccup of the machine is what gets reported; with one round, models take no turns and a machine that slows
down makes the last one slow. Profiles for a trial are not looked at.

Example:

    evaluate:
      test: {data: pairs.test, models: [small, q8], metrics: [errant], measure: {prompts: 4, rounds: 1}}

Use instead:

    evaluate:
      test: {data: pairs.test, models: [small, q8], metrics: [errant], measure: {prompts: 16, rounds: 3}}
"""

from collections.abc import Iterator

from distillc.spec.defaults import of_language
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import MappingNode, entries, whole
from distillc.spec.rules import Context, warning
from distillc.spec.variants import in_profiles

ENOUGH = 20
"""From 20 timings on, one in twenty may be slower than the 95th percentile."""


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("evaluate")):
        measure = step.value.entries.get("measure") if isinstance(step.value, MappingNode) else None
        if measure is None or not isinstance(measure.value, MappingNode):
            continue
        written = [node for key in ("prompts", "rounds") if (node := measure.value.get(key))]
        prompts, rounds = (_number(measure.value, key, context) for key in ("prompts", "rounds"))
        timings = prompts * rounds
        if written and 0 < timings < ENOUGH and not any(in_profiles(context.root, node.span) for node in written):
            message = f"the 95th percentile of {timings} timings is hardly more than the slowest one"
            yield warning("D611", message, measure.key_span, f"let `prompts` times `rounds` be {ENOUGH} or more")


def _number(measure: MappingNode, key: str, context: Context) -> int:
    said = whole(measure.get(key))
    default: int = of_language(context, "Measure", key)
    return default if said is None else said
