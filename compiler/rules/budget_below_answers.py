"""What a model's answers may cost is more than the run may spend.

Why: a run stops before it would spend more than `budget.usd`, here perhaps in the middle of its answers; it goes on when the limit is
raised. What is compared is the most: every row answered, as long as `max_tokens` allows, without the prompts, which nobody has counted
yet. Most answers are shorter, so this is no error. The walk-through of Nebius' cookbook came to a fifth of such a bound.

Example:

    budget: {usd: 0.1}
    models: {big: {uses: openai, name: m, family: gpt, license: Apache-2.0, price: {input: 2, output: 20}}}
    generate: {answers: {from: pairs, steps: [{uses: answer, model: big}]}}

Use instead:

    budget: {usd: 10}
    models: {big: {uses: openai, name: m, family: gpt, license: Apache-2.0, price: {input: 2, output: 20}}}
    generate: {answers: {from: pairs, steps: [{uses: answer, model: big}]}}
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from distillc.compiler.outline import Outline
from distillc.compiler.outline.steps import Step
from distillc.compiler.rules import warning
from distillc.compiler.rules.no_price import price_of, usd_of
from distillc.spec.diagnostic import Diagnostic

if TYPE_CHECKING:  # few specs have a budget, and every lint imports this
    from decimal import Decimal


def check(outline: Outline) -> Iterator[Diagnostic]:
    usd = usd_of(outline)
    if usd is None:
        return
    from decimal import Decimal

    from distillc.spec.money import dollars

    costs = {step.name: cost for step in outline.of("generate") if (cost := _answers(outline, step))}
    whole, limit = sum(costs.values(), Decimal(0)), Decimal(repr(usd))
    if whole > limit:
        names = ", ".join(f"`{name}`" for name in costs)
        message = f"the answers of {names} may cost {dollars(whole)}, and `budget.usd` is {dollars(limit)}: the run may stop before its end"
        help = "raise it, lower `limit` or `max_tokens`, or go on with what it is: what is answered until then is kept"
        yield warning(outline, "D853", ("budget", "usd"), message, help)


def _answers(outline: Outline, step: Step) -> "Decimal | None":
    """The most that the answers of a step cost; None where no API gives them, or nobody knows how many rows there are."""
    from distillc.compiler.estimate import answers_cost

    rows = outline.rows[step.name]
    counts = [rows.most(split) for split in rows.splits]
    if any(count is None for count in counts):
        return None
    costs = []
    asked = sum(count for count in counts if count)
    for used, effect in reversed(list(zip(step.body["steps"], rows.effects, strict=True))):
        asked //= effect.times or 1  # a generator that makes several rows of one is asked with fewer
        for name in outline.named("generators", used, "model"):
            model = outline.models[name]
            price = price_of(model) if model.format == "api" else None
            if price:
                decoding = used.get("decoding") or outline.part("decoding")
                mode = (model.engine or {}).get("mode") or model.fields.get("mode")
                costs.append(answers_cost(price, asked * int(decoding["max_tokens"]), mode))
    return sum(costs[1:], costs[0]) if costs else None
