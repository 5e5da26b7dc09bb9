"""Wall time of whole chains: what it took to make a model, with everything that it hangs on counted in, each stage once.

The content keys of sealed artifacts give the graph, the journal gives the seconds; a stage that no recorded run made counts as unknown.
"""

from collections.abc import Mapping
from typing import Any


def closure(key: str, inputs: Mapping[str, Mapping[str, str]]) -> set[str]:
    """The keys of all artifacts that `key` hangs on, itself among them. `inputs` maps a key to its ports' keys."""
    found: set[str] = set()
    waiting = [key]
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting += inputs.get(at, {}).values()
    return found


def chains(models: Mapping[str, str], inputs: Mapping[str, Mapping[str, str]], seconds: Mapping[str, float]) -> dict[str, float | None]:
    """Seconds for each model (name -> key); None where the time of a stage in its chain is not known."""
    found: dict[str, float | None] = {}
    for name, key in models.items():
        times = [seconds.get(k) for k in closure(key, inputs)]
        found[name] = None if None in times else sum(t for t in times if t is not None)
    return found


def with_times(report: Mapping[str, Any], times: Mapping[str, float | None]) -> dict[str, Any]:
    """The report with `run.seconds`: what the table and the page show as the time that a model took."""
    known = {name: round(t, 1) for name, t in times.items() if t is not None}
    return {**report, "run": {**report["run"], "seconds": known}} if known else dict(report)
