"""What models are asked may cost more than the run may spend.

Why: a run stops before it would spend more than `budget.usd`, here perhaps in the middle of its answers; it goes on when the limit is
raised. What is compared is an estimate: every row answered, as long as `max_tokens` allows, and prompts at four bytes a token. `lint` reads
no rows: of prompts it counts what the task and a model's `system` say. `plan` and `run` count the inputs in files too, and trainings
elsewhere. Most answers are shorter, so this is no error. The walk-through of Nebius' cookbook came to a fifth of its answers' bound. Where
prompts alone cost more than there is, that is what it says.

Example:

    budget: {usd: 0.1}
    models: {big: {uses: openai, name: m, family: gpt, license: Apache-2.0, price: {input: 2, output: 20}}}
    generate: {answers: {from: pairs, steps: [{uses: answer, model: big}]}}

Use instead:

    budget: {usd: 10}
    models: {big: {uses: openai, name: m, family: gpt, license: Apache-2.0, price: {input: 2, output: 20}}}
    generate: {answers: {from: pairs, steps: [{uses: answer, model: big}]}}
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from distillc.compiler.outline import Outline
from distillc.compiler.rules import warning
from distillc.compiler.rules.no_price import price_of, usd_of
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.references import split_name

if TYPE_CHECKING:  # few specs have a budget, and every lint imports this
    from decimal import Decimal

    from distillc.compiler.plan import Stage


class Cost(NamedTuple):
    """Of a step, in US dollars: its prompts, all of it, and in words what of its texts is not in that."""

    step: str
    prompts: "Decimal"
    whole: "Decimal"
    uncounted: str | None


def check(outline: Outline) -> Iterator[Diagnostic]:
    """By the text of the spec alone."""
    usd = usd_of(outline)
    if usd is not None and ("decoding",) not in outline.malformed:  # else nobody knows how long an answer may be
        yield from _exceeded(outline, usd, list(_costs(outline)))


def check_stages(outline: Outline, stages: Iterable["Stage"], origins: Mapping[str, str]) -> Iterator[Diagnostic]:
    """By the estimates of a plan, which know more. `origins`: of a stage's id the step that it is of."""
    usd = usd_of(outline)
    if usd is None:
        return
    from decimal import Decimal

    from distillc.compiler.plan import without_cell

    estimates = ((without_cell(origins[stage.id]), stage.estimate) for stage in stages)
    costs = [Cost(step, Decimal(one.prompts_usd or 0), Decimal(one.usd), one.uncounted) for step, one in estimates if one.usd is not None]
    yield from _exceeded(outline, usd, costs)


def _exceeded(outline: Outline, usd: float, costs: list[Cost]) -> Iterator[Diagnostic]:
    from decimal import Decimal

    from distillc.spec.money import dollars, roughly

    prompts, whole = (sum(amounts, Decimal(0)) for amounts in ([one.prompts for one in costs], [one.whole for one in costs]))
    limit = Decimal(repr(usd))
    if whole <= limit:
        return
    alone = prompts > limit
    names = ", ".join(f"`{name}`" for name in dict.fromkeys(one.step for one in costs if one.prompts or not alone))
    if alone:
        cost, fate = f"the prompts of {names} alone cost about {roughly(prompts)}", "the run stops before its end"
    else:
        cost, fate = f"{names} may cost about {roughly(whole)}", "the run may stop before its end"
    uncounted = next((one.uncounted for one in costs if one.uncounted), None)
    yield warning(
        outline,
        "D853",
        ("budget", "usd"),
        f"{cost}, and `budget.usd` is {dollars(limit)}: {fate}",
        "raise it, lower `limit` or `max_tokens`, or go on with what it is: what is answered until then is kept",
        notes=(f"{uncounted} come on top: how long they are is not known yet",) if uncounted else (),
    )


def _costs(outline: Outline) -> Iterator[Cost]:
    """Of every step that asks an API with a price, where the number of its rows has a bound."""
    from distillc.compiler.pricing import Texts, asking, prompt_of

    template = outline.part("task").get("prompt") or ""
    for step, rows, name, decoding in _questions(outline):
        model = outline.models[name]
        price = price_of(model) if model.format == "api" else None
        if price:
            prompt = prompt_of(template, outline.models[model.root].fields.get("system"))
            mode = (model.engine or {}).get("mode") or model.fields.get("mode")
            bill = asking(price, prompt.tokens(rows, Texts()), rows * int(decoding["max_tokens"]), mode)
            yield Cost(step, bill.prompts, bill.prompts + bill.answers, prompt.uncounted(Texts()))


def _questions(outline: Outline) -> Iterator[tuple[str, int, str, Mapping[str, Any]]]:
    """(step, rows, model, decoding): which model a step asks, and for how many rows at most."""
    for step in outline.of("generate"):
        rows = outline.rows[step.name]
        asked = _sum(rows.most(split) for split in rows.splits)
        if asked is not None:
            for used, effect in reversed(list(zip(step.body["steps"], rows.effects, strict=True))):
                asked //= effect.times or 1  # a generator that makes several rows of one is asked with fewer
                for name in outline.named("generators", used, "model"):
                    yield step.name, asked, name, used.get("decoding") or outline.part("decoding")
    for step in outline.of("evaluate"):
        for _, reference in step.data_sets():
            name, split = split_name(reference)
            rows = outline.rows[name]
            asked = _sum(rows.most(each) for each in rows.taken(split or "test"))
            if asked is not None:
                for model in dict.fromkeys(step.body["models"]):
                    asked = min(asked, step.body.get("limit") or asked)
                    yield step.name, asked, model, step.body.get("decoding") or outline.part("decoding")


def _sum(counts: Iterable[int | None]) -> int | None:
    known = list(counts)
    return None if None in known else sum(count for count in known if count)
