"""From a spec to a plan: lower, check, address, estimate, lock.

Nothing here runs a model or imports an implementation: config classes, manifests and headers of files are all that is read.
"""

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from distillc.compiler import rules
from distillc.compiler.address import Addressed, Locks, address
from distillc.compiler.cells import Findings, Survey
from distillc.compiler.document import Document
from distillc.compiler.lower.meeting import meeting
from distillc.compiler.lower.parts import lower_parts
from distillc.compiler.plan import Plan
from distillc.compiler.plugins import Plugins
from distillc.compiler.rules import budget_below_answers, unsupported
from distillc.compiler.world import World
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.errors import InvalidSpec
from distillc.spec.model import Budget
from distillc.spec.resolve import Resolved
from distillc.spec.rules import Context
from distillc.spec.suppress import EVERYTHING, Policy


def compile_document(
    document: Document, resolved: Resolved, context: Context, plugins: Plugins, folder: Path, policy: Policy = EVERYTHING
) -> tuple[Plan, tuple[Diagnostic, ...]]:
    """The plan of a linted spec, and the warnings about it.

    Args:
        context: what the language's rules saw of the spec, which has no error. Of a spec with a matrix: of one cell.
        folder: the spec's, where its relative paths start.
        policy: which findings of rules are shown; those of lowering, without which there is no plan, always are.

    Raises:
        InvalidSpec: with every finding of error level; warnings come with them.
    """
    with _collector_paused():
        return _compiled(document, resolved, context, plugins, folder, policy)


def _compiled(
    document: Document, resolved: Resolved, context: Context, plugins: Plugins, folder: Path, policy: Policy
) -> tuple[Plan, tuple[Diagnostic, ...]]:
    cells = resolved.cells
    findings = Findings(cells.matrix if cells else None)
    parts = Survey(context, plugins, World(plugins, folder), cells, findings).parts
    if parts and not findings.failed and not any(unsupported.check(parts[0].outline)):
        findings.add_everywhere(lower_parts(parts, findings.matrix, document, resolved, plugins, folder))
    for part in parts:
        findings.add(part.number, (finding for version in part.versions.values() for finding in version.findings))
        # D853 is looked at below, when there are estimates: they know more of money than the text does.
        findings.add(part.number, policy.shown(rules.check(part.outline, without=("D853",))[0]))
    found = Addressed()
    if not findings.failed:
        found = address(parts, findings.matrix, plugins, parts[0].outline.marks, folder)
        findings.add_everywhere(policy.shown(budget_below_answers.check_stages(parts[0].outline, found.stages, found.origins)))
        findings.add_everywhere(meeting(parts, findings.matrix) if findings.matrix else ())
    told = tuple(sorted(resolved.explained(findings.told()), key=_place))
    if findings.failed:
        raise InvalidSpec(told)
    runtime = document.spec.runtime
    plan = Plan(
        name=document.spec.name,
        spec=Path(document.file).name,
        spec_text=document.text,
        stages=tuple(found.stages),
        origins=found.origins,
        lock=Locks(plugins).of_plan(parts),
        profile=document.profile,
        overrides=document.overrides,
        aliases=found.aliases,
        runtime={"uses": runtime.uses, **runtime.fields},
        budget=_budget(document.spec.budget),
    )
    return plan, told


def _budget(budget: Budget | None) -> dict[str, Any]:
    """Money as the decimal that somebody wrote, time in seconds; what has no limit is left out."""
    if budget is None:
        return {}
    usd = None if budget.usd is None else str(Decimal(repr(budget.usd)))
    found = {"usd": usd, "calls": budget.calls, "tokens": budget.tokens, "wall": seconds_of(budget.wall) if budget.wall else None}
    return {limit: value for limit, value in found.items() if value is not None}


def seconds_of(duration: str) -> float:
    """`1h30m` -> 5400.0"""
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(r"([0-9.]+)([dhms])", duration))


_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nothing here makes a cycle, and all that is made stays: the collector would walk it again and again, a third of the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _place(finding: Diagnostic) -> tuple[int, int, str, str]:
    return (
        (finding.span.line, finding.span.column, finding.code, finding.message) if finding.span else (0, 0, finding.code, finding.message)
    )
