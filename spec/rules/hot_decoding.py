"""Answers are drawn at a temperature that makes noise of them.

Why: `decoding.temperature` says how answers are drawn; the temperature of a soft loss stands with the loss. People write the 2 of the
literature on distillation here, and from about 1.5 on a model's text falls apart
(https://github.com/BerriAI/litellm/issues/12208, at 2; https://github.com/SciSharp/LLamaSharp/issues/928, at 1.5).

Example:

    decoding: {max_tokens: 64, temperature: 2}
    train:
      student: {model: small, data: clean, losses: {soft: {uses: forward_kl, teacher: teacher}}}

Use instead:

    decoding: {max_tokens: 64, temperature: 0}
    train:
      student: {model: small, data: clean, losses: {soft: {uses: forward_kl, teacher: teacher, temperature: 2}}}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import Node, at, entries, items, number
from distillc.spec.rules import Context, warning

HOTTEST = 1.5


def check(context: Context) -> Iterator[Diagnostic]:
    places: list[Node | None] = [context.at("decoding")]
    places += [at(item, "decoding") for step in entries(context.at("generate")) for item in items(at(step.value, "steps"))]
    places += [at(step.value, "decoding") for step in entries(context.at("evaluate"))]
    for decoding in places:
        node = at(decoding, "temperature")
        value = number(node)
        if node is not None and value is not None and HOTTEST < value <= 5:
            help = "0 is greedy, and 0.7 varies; a soft loss has a `temperature` of its own"
            yield warning("D317", f"text drawn at temperature {value:g} is mostly noise", node.span, help)
