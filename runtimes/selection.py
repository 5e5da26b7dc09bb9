"""Which stages of a plan a run takes."""

from collections.abc import Collection

from distillc.compiler.plan import Input, Plan, Stage, without_cell
from distillc.spec.errors import UsageError
from distillc.spec.wording import did_you_mean


def select(plan: Plan, until: str | Collection[str] | None) -> tuple[Stage, ...]:
    """The stages of a step (or one stage, by its id), or those with the ids given, and all that they need, in the order of the plan.

    No training reads the overlap stages before it (docs/adr/0002), and none runs without them.
    """
    if until is None:
        return plan.stages
    wanted = plan.named(until) if isinstance(until, str) else set(until)
    if isinstance(until, str) and not wanted:
        raise UsageError(f"the plan has no step `{until}`", help=did_you_mean(until, plan.origins.values(), "steps"))
    rows = _rows_of_training(plan)
    for stage in reversed(plan.stages):
        if stage.kind == "overlap" and not wanted.isdisjoint(rows.get((stage.config["step"], stage.inputs["rows"]), ())):
            wanted.add(stage.id)
        if stage.id in wanted:
            wanted.update(ref.stage for ref in stage.inputs.values())
    return tuple(stage for stage in plan if stage.id in wanted)


def _rows_of_training(plan: Plan) -> dict[tuple[str, Input], set[str]]:
    """The train stages of a step that learn from the same rows: in all cells, and those that do the work of another's."""
    stages = {stage.id: stage for stage in plan if stage.kind == "train"}
    found: dict[tuple[str, Input], set[str]] = {}
    for name, id in [*((id, id) for id in stages), *plan.aliases.items()]:
        if id in stages:
            found.setdefault((without_cell(name), stages[id].inputs["rows"]), set()).add(id)
    return found
