"""The dict of `report --format json` has exactly the shape of the design, section 8."""

from distillc.runtimes.report.assemble import merged, report


def test_the_shape() -> None:
    score = {"value": 0.5, "n": 10, "low": 0.3, "high": 0.7, "groups": 9}
    whole = merged(
        [
            {"seen": {"q8": {"f": score}}, "unseen": {"q8": {"f": {**score, "value": 0.4}}}},
            {"seen": {"q8": {"lints": {**score, "failed": 2}}}},
        ]
    )
    made = report(
        run={"name": "x"},
        models=["as_is", "q8"],
        data=["seen", "unseen"],
        order=["lints", "f"],
        roles={"q8": "student"},
        formats={"q8": "gguf"},
        scores=whole,
        measured={"q8": {"bytes": 5, "tokens_per_second": 7.5, "latency_ms": {"p50": 1.0, "p95": 2.0, "rounds": 3}, "parameters": 9}},
        gates=[{"name": "g", "level": "error", "verdict": "pass"}],
    )
    kept = {"value": 0.5, "n": 10, "low": 0.3, "high": 0.7}
    assert made == {
        "run": {"name": "x", "data": "seen"},
        "rows": [
            {"name": "as_is", "role": "reference", "format": None, "metrics": {}, "slices": {"unseen": {}}}
            | {"bytes": None, "tokens_per_second": None, "latency_ms": None},
            {
                "name": "q8",
                "role": "student",
                "format": "gguf",
                "metrics": {"f": kept, "lints": {**kept, "failed": 2}},
                "slices": {"unseen": {"f": {**kept, "value": 0.4}}},
                "bytes": 5,
                "tokens_per_second": 7.5,
                "latency_ms": {"p50": 1.0, "p95": 2.0},
            },
        ],
        "gates": [{"name": "g", "level": "error", "verdict": "pass"}],
    }
