"""A plan as a tree: its steps in order, under each the stages it was lowered to, with what they read, yield and cost."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal

from distillc.compiler.estimate import train_steps
from distillc.compiler.plan import Estimate, Plan, Stage
from distillc.spec.money import roughly
from distillc.spec.values import counted

MANY = 4
"""So many inputs are named; of more, the number alone."""


def render(plan: Plan, sealed: Callable[[str], bool] | None = None) -> str:
    """One line a stage. `sealed(key)` says whether the store has it already; None: nobody asked the store."""
    groups: dict[str, list[Stage]] = {}
    for stage in plan.stages:
        groups.setdefault(plan.origins.get(stage.id, stage.id), []).append(stage)
    done = {stage.id for stage in plan.stages if sealed is not None and sealed(stage.key)}
    asked = done if sealed is not None else None
    last = next(reversed(groups), None)
    rows = [row for step, stages in groups.items() for row in _group(step, stages, asked, step == last)]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip() for row in rows]
    title = f"{plan.name}{f' ({plan.profile})' if plan.profile else ''}"
    return "\n".join([title, *lines, "", _summary(plan, done, sealed is not None)]) + "\n"


def _group(step: str, stages: list[Stage], done: set[str] | None, last: bool) -> Iterator[tuple[str, str, str, str]]:
    """A step of one stage is one line; of several, a line for the step and one for each."""
    trunk, bar = ("└─", " ") if last else ("├─", "│")
    if len(stages) == 1 and stages[0].id == step:
        yield (f"{trunk} {step}", _what(stages[0]), _state(stages[0], done), _facts(stages[0]))
        return
    waiting = sum(stage.id not in done for stage in stages) if done is not None else None
    state = "" if waiting is None else "done" if not waiting else f"{waiting} of {len(stages)} to run"
    yield (f"{trunk} {step}", counted(len(stages), "stage"), state, "")
    for index, stage in enumerate(stages):
        branch = "└─" if index == len(stages) - 1 else "├─"
        yield (f"{bar}  {branch} {stage.id}", _what(stage), _state(stage, done), _facts(stage))


def _what(stage: Stage) -> str:
    return f"{stage.kind}: {stage.uses}" if stage.uses else stage.kind


def _state(stage: Stage, done: set[str] | None) -> str:
    return "" if done is None else "done" if stage.id in done else "to run"


def _facts(stage: Stage) -> str:
    facts = [_inputs(stage)]
    estimate = stage.estimate
    if stage.kind == "train":
        steps = train_steps(stage.config, estimate.rows)
        facts += [f"≤ {steps:,} steps of {stage.config['batch']}"] if steps is not None else [f"{stage.config['epochs']:g} epochs"]
    if estimate.rows is not None:
        facts.append(f"≤ {estimate.rows:,} rows")
    if estimate.tokens is not None:
        facts.append(f"≤ {estimate.tokens:,} tokens")
    if estimate.prompt_tokens is not None:
        facts.append(f"about {estimate.prompt_tokens:,} tokens of prompts{_without(estimate.uncounted)}")
    if estimate.trained_tokens is not None:
        facts.append(f"about {estimate.trained_tokens:,} trained tokens{_without(estimate.uncounted)}")
    if estimate.usd is not None:
        facts.append(f"about {roughly(Decimal(estimate.usd))}")
    if unpriced := _unpriced([estimate]):
        facts.append(f"no price of {', '.join(unpriced)}")
    if estimate.seconds is not None:
        facts.append(f"about {estimate.seconds:,.0f} s")
    if estimate.bytes is not None:
        facts.append(f"{estimate.bytes / 1e6:,.1f} MB")
    if engine := stage.config.get("engine"):
        facts.append(f"on {engine['uses']}")
    return " · ".join(fact for fact in facts if fact)


def _without(*uncounted: str | None) -> str:
    return f" without {' and '.join(filter(None, uncounted))}" if any(uncounted) else ""


def _inputs(stage: Stage) -> str:
    names = [f"{entry.stage}.{entry.split}" if entry.split else entry.stage for entry in stage.inputs.values()]
    return f"← {', '.join(names)}" if 0 < len(names) <= MANY else f"← {len(names)} inputs" if names else ""


def _summary(plan: Plan, done: set[str], asked: bool) -> str:
    stages = len(plan.stages)
    tokens = sum(stage.estimate.tokens or 0 for stage in plan.stages if stage.id not in done)
    unknown = any(
        stage.kind == "generate" and {"engine", "engines"} & set(stage.config) and stage.estimate.tokens is None
        for stage in plan.stages
        if stage.id not in done
    )
    parts = [counted(stages, "stage")]
    if asked:
        parts.append(f"{len(done)} done, {stages - len(done)} to run")
    if tokens:
        parts.append(f"models write at most {tokens:,} tokens" + (", and more where row counts are not known yet" if unknown else ""))
    elif unknown:
        parts.append("what models write is not known before the rows are counted; a `limit` bounds it")
    return " · ".join([*parts, *_money([stage.estimate for stage in plan.stages if stage.id not in done])])


def _money(estimates: Sequence[Estimate]) -> Iterator[str]:
    """What is paid for, as far as prices are known, and whose are not."""
    bills = [Decimal(bill["usd"]) for estimate in estimates for bill in estimate.models.values() if bill.get("usd") is not None]
    unpriced = _unpriced(estimates)
    if bills:
        without = _without(next((one.uncounted for one in estimates if one.uncounted), None), *unpriced)
        yield f"what is paid for costs about {roughly(sum(bills, Decimal(0)))}{without}, answers as long as they may be"
    elif unpriced:
        yield f"nobody says what {' and '.join(unpriced)} cost{'s' * (len(unpriced) == 1)}"


def _unpriced(estimates: Iterable[Estimate]) -> list[str]:
    """Models that somebody bills, at a price that is not known."""
    return list(dict.fromkeys(name for one in estimates for name, bill in one.models.items() if bill.get("usd", "") is None))
