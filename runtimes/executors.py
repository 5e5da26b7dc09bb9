"""From a plan's `runtime` to the executor that runs it: one way, for the command line and for Python alike."""

from typing import Any

from distillc.compiler.plan import Plan
from distillc.runtimes.work import Executor
from distillc.spec.errors import UsageError


def open_executor(plan: Plan, registry: Any) -> Executor:
    """What the plan's `runtime` names. Raises UsageError for one that is not installed, or whose fields are wrong."""
    fields = dict(plan.runtime)
    name = fields.pop("uses", "local")
    try:
        config = registry.config_class("executors", name).model_validate(fields)
    except ValueError as error:
        raise UsageError(f"the fields of executor '{name}' do not hold: {error}", where="runtime", help="make the plan again") from error
    executor: Executor = registry.implementation("executors", name)(config)
    return executor
