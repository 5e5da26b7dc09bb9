"""A plan as JSON: the text that `run` takes, and the same with what the store has of it."""

import json
from collections.abc import Callable

from distillc.compiler.plan import Plan, to_json


def render(plan: Plan, sealed: Callable[[str], bool] | None = None) -> str:
    """A saved plan; with `sealed`, each stage also says whether it is `done`. `from_json` reads both."""
    if sealed is None:
        return to_json(plan)
    data = json.loads(to_json(plan))
    for stage in data["stages"]:
        stage["done"] = sealed(stage["key"])
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
