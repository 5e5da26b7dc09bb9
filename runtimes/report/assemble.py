"""From what the stages before it found to the dict of `report --format json` (design, section 8).

`scores` are {data: {model: {metric: {"value", "n", "low", "high", …}}}}, as `evaluate` and `judge` give them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MEASURED = ("value", "n", "low", "high")
Scores = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]


def report(
    *,
    run: Mapping[str, Any],
    models: Sequence[str],
    data: Sequence[str],
    order: Sequence[str],
    roles: Mapping[str, str],
    formats: Mapping[str, str | None],
    scores: Scores,
    measured: Mapping[str, Mapping[str, Any]],
    gates: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """`models`, `data` and `order` (of metrics) give the order; the first data set is that of `metrics`, the others are `slices`."""
    first, *others = data
    return {
        "run": {**run, "data": first},
        "rows": [
            {
                "name": name,
                "role": roles.get(name, "reference"),
                "format": formats.get(name),
                "metrics": _values(scores, first, name, order),
                "slices": {other: _values(scores, other, name, order) for other in others},
                "bytes": measured.get(name, {}).get("bytes"),
                "tokens_per_second": measured.get(name, {}).get("tokens_per_second"),
                "latency_ms": _latency(measured.get(name, {})),
            }
            for name in models
        ],
        "gates": [dict(gate) for gate in gates],
    }


def merged(parts: Iterable[Scores]) -> dict[str, dict[str, dict[str, Mapping[str, Any]]]]:
    """Scores of metrics and of judges together, in this order."""
    whole: dict[str, dict[str, dict[str, Mapping[str, Any]]]] = {}
    for part in parts:
        for data, models in part.items():
            for model, metrics in models.items():
                whole.setdefault(data, {}).setdefault(model, {}).update(metrics)
    return whole


def differences(found: Mapping[str, Any], model: str, others: Sequence[str], metric: str) -> list[dict[str, Any]]:
    """`model` minus each of `others`. `found`: {model: {other: {metric: {"value", "low", "high", "n"}}}}, each pair in one order."""
    listed = []
    for other in others:
        gap = found.get(model, {}).get(other, {}).get(metric)
        if gap is None and (turned := found.get(other, {}).get(model, {}).get(metric)):
            gap = {**turned, "value": _minus(turned["value"]), "low": _minus(turned["high"]), "high": _minus(turned["low"])}
        if gap is not None and gap.get("value") is not None:
            listed.append({"model": model, "against": other, "metric": metric, **gap})
    return listed


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _values(scores: Scores, data: str, model: str, order: Sequence[str]) -> dict[str, dict[str, Any]]:
    found = scores.get(data, {}).get(model, {})
    names = [name for name in order if name in found] + [name for name in found if name not in order]
    return {name: {key: found[name].get(key) for key in MEASURED} | _failures(found[name]) for name in names}


def _failures(measured: Mapping[str, Any]) -> dict[str, Any]:
    """Items that could not be parsed: shown where there are any."""
    return {"failed": measured["failed"]} if measured.get("failed") else {}


def _latency(measured: Mapping[str, Any]) -> dict[str, Any] | None:
    latency = measured.get("latency_ms")
    return {"p50": latency.get("p50"), "p95": latency.get("p95")} if latency else None
