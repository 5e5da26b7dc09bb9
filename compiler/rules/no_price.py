"""Money is limited, and nobody knows what a model costs.

Why: a run counts money as tokens times a price. Without one its calls, or its training elsewhere, count as free, and `budget.usd` stops
nothing. The price list of distillc has what its references record; any other price is yours to name, with the day on which you looked it
up.

Example:

    budget: {usd: 20}
    models: {big: {uses: openai, name: big-model, family: gpt, license: Apache-2.0}}

Use instead:

    budget: {usd: 20}
    models: {big: {uses: openai, name: big-model, family: gpt, license: Apache-2.0, price: {input: 0.2, output: 0.6}}}
"""

from collections.abc import Iterator, Mapping
from typing import Any

from distillc.compiler.outline import Outline
from distillc.compiler.outline.models import Model
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import ScalarNode, at


def check(outline: Outline) -> Iterator[Diagnostic]:
    if usd_of(outline) is None:
        return
    for model in apis(outline):
        if price_of(model) is None:
            message = f"`budget.usd` is set, and `{model.name}` has no price: its calls would count as free"
            yield error(outline, "D851", model.where, message, "write `price: {input: …, output: …}`, in US dollars per million tokens")
    for step in outline.of("train"):
        trainer, root = step.body["trainer"], outline.models[outline.models[step.name].root]
        price = trainer.get("price") or (price_of(root) if outline.capabilities("trainers", trainer["uses"]).get("remote") else {})
        if price and price.get("trained") is None:
            message = f"`budget.usd` is set, and nobody says what training `{root.name}` costs: that would count as free"
            help = f"write `trained: …` in the price of `{root.name}`, in US dollars per million tokens"
            yield error(outline, "D851", (*step.where, "trainer"), message, help)


def usd_of(outline: Outline) -> float | None:
    node = at(outline.root, "budget", "usd")
    usd = node.value if isinstance(node, ScalarNode) else None
    return float(usd) if isinstance(usd, int | float) and ("budget",) not in outline.malformed else None


def apis(outline: Outline) -> Iterator[Model]:
    """The models that somebody else runs."""
    return (model for model in outline.models.values() if model.section == "models" and model.format == "api")


def price_of(model: Model) -> Mapping[str, Any] | None:
    """As its engine says it, as its entry does, or as the list does."""
    from distillc.compiler.tables.prices import listed_price

    found: Mapping[str, Any] | None = (model.engine or {}).get("price") or model.fields.get("price")
    return found or listed_price({"uses": model.uses, **model.fields})
