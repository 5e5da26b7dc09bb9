"""Money is limited by a price that was looked up long ago.

Why: prices of APIs change several times a year, and without notice. A budget that is counted with an old one stops too early or too late.
Half a year is what counts as long ago here. A price without a day is taken as it is.

Example:

    budget: {usd: 20}
    models: {big: {uses: openai, name: m, family: gpt, license: Apache-2.0, price: {input: 0.2, output: 0.6, date: "2025-01-31"}}}

Use instead:

    budget: {usd: 20}
    models: {big: {uses: openai, name: m, family: gpt, license: Apache-2.0, price: {input: 0.2, output: 0.6, date: "2099-01-31"}}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import warning
from distillc.compiler.rules.no_price import apis, price_of, usd_of
from distillc.spec.diagnostic import Diagnostic

DAYS = 180


def check(outline: Outline) -> Iterator[Diagnostic]:
    if usd_of(outline) is None:
        return
    from datetime import date

    for model in apis(outline):
        price = price_of(model) or {}
        if not price.get("date"):
            continue
        try:
            looked_up = date.fromisoformat(price["date"])
        except ValueError:
            continue  # it has the form of a day, and is none
        if (date.today() - looked_up).days > DAYS:
            own = outline.exists((*model.where, "price", "date"))
            where = (*model.where, "price", "date") if own else model.where
            whose = f"the price of `{model.name}`" if own else f"the price of `{model.name}` in the list of distillc"
            help = "look it up, and write `price: {input: …, output: …, date: …}`"
            yield warning(outline, "D852", where, f"{whose} is of {looked_up}, and `budget.usd` is counted with it", help)
