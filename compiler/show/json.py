"""A plan as JSON: the text that `run` takes, and the same with what the store has of it."""

from collections.abc import Callable

from distillc.compiler.plan import Plan, to_json


def render(plan: Plan, sealed: Callable[[str], bool] | None = None) -> str:
    """A saved plan; with `sealed`, each stage also says whether it is `done`. `from_json` reads both."""
    return to_json(plan, None if sealed is None else lambda stage: {"done": sealed(stage.key)})
