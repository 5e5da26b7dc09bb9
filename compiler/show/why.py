"""Why stages run again, in words: the changes that it began with and what follows from each, or the way to one stage."""

import textwrap
from collections.abc import Iterable, Sequence

from distillc.compiler.plan import Plan
from distillc.compiler.why import Cause, Change, Reason
from distillc.spec.render.paint import safe

INDENT = "    "
MANY = 4
"""So many of a stage's inputs are named; of more, the first ones and how many there are beside."""


def summary(plan: Plan, reasons: Sequence[Reason], width: int) -> str:
    """Each change that nothing explains, and under it the steps that run again for it, in the order of the plan.

    Changes with equal consequences share them; a version that moved is one change, however many stages it is part of.
    """
    follows: dict[str, list[str]] = {}
    new: list[str] = []
    for reason in reasons:
        for root in reason.roots:
            if root.cause is Cause.NEW:
                new.append(root.stage)
            else:
                follows.setdefault(str(root), [])
                if root.stage != reason.stage or root.cause is Cause.VERSION:
                    follows[str(root)].append(reason.stage)
    grouped: dict[tuple[str, ...], list[str]] = {}
    for cause, behind in follows.items():
        grouped.setdefault(tuple(dict.fromkeys(behind)), []).append(cause)
    lines: list[str] = []
    for stages, causes in grouped.items():
        lines += [_folded(cause, width, INDENT) for cause in causes]
        if stages:
            lines.append(_folded(f"re-runs: {', '.join(_steps(plan, stages))}", width, INDENT * 2, INDENT))
    if new:
        lines.append(_folded(f"new, nothing like it is in the store: {', '.join(_steps(plan, dict.fromkeys(new)))}", width, INDENT))
    return "\n".join([*lines, f"{len(reasons)} of {len(plan.stages)} stages to run"]) + "\n"


def chains(reasons: Iterable[Reason], width: int) -> str:
    """Each stage with its own changes, and those further up with the inputs that carry them here."""
    return "".join(f"{line}\n" for reason in reasons for line in [reason.stage, *_chain(reason, width)])


def _chain(reason: Reason, width: int) -> list[str]:
    own = [root for root in reason.roots if root.stage == reason.stage]
    others = [root for root in reason.roots if root.stage != reason.stage]
    if [root.cause for root in reason.roots] == [Cause.NEW] and own:
        return [f"{INDENT}is new: nothing like it is in the store"]
    lines = [_folded(str(root), width, INDENT * 2, INDENT) for root in own]
    if others:
        lines.append(_folded(f"by way of {_through(reason)}: {'; '.join(_unique(others))}", width, INDENT * 2, INDENT))
    return lines


def _through(reason: Reason) -> str:
    stages = list(dict.fromkeys(reason.through.values()))
    more = len(stages) - MANY
    return ", ".join(stages) if more <= 1 else f"{', '.join(stages[:MANY])} and {more} more"


def _unique(changes: Iterable[Change]) -> list[str]:
    return list(dict.fromkeys(str(change) for change in changes))


def _steps(plan: Plan, stages: Iterable[str]) -> list[str]:
    """The steps of these stages: a step's name stands for its stages, with their number where there are several."""
    groups: dict[str, list[str]] = {}
    for stage in stages:
        groups.setdefault(plan.origins.get(stage, stage), []).append(stage)
    return [found[0] if len(found) == 1 else f"{step} ({len(found)} stages)" for step, found in groups.items()]


def _folded(text: str, width: int, indent: str, first: str = "") -> str:
    whole = safe(text).replace(" stages)", "\u00a0stages)")  # a count stays beside its step
    lines = textwrap.fill(
        whole, max(width, 40), initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return lines.replace("\u00a0", " ")
