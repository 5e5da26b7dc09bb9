"""A report as a real run makes it: nine systems, two data sets, two gates, four train steps."""

import math
from typing import Any

import pytest

# name, role, format, F0.5, exact match, bytes, tokens/s, p50, p95
SYSTEMS: tuple[tuple[str, str, str, float, float, int | None, float | None, float | None, float | None], ...] = (
    ("as_is", "reference", "rules/identity", 0.0, 0.107, None, None, None, None),
    ("rules", "reference", "rules/harper", 0.312, 0.171, None, None, 4.1, 9.8),
    ("smollm2", "reference", "hf", 0.021, 0.033, 538_090_408, 15.9, 4020.0, 4410.0),
    ("teacher", "teacher", "hf", 0.682, 0.503, 538_090_408, 16.1, 3975.0, 4333.0),
    ("small", "base", "hf", 0.004, 0.010, 283_312_640, 36.0, 1777.0, 1890.0),
    ("gold", "reference", "hf", 0.331, 0.203, 283_312_640, 36.2, 1768.0, 1892.0),
    ("refined", "student", "hf", 0.443, 0.301, 283_312_640, 36.1, 1771.0, 1880.0),
    ("q8", "student", "gguf", 0.441, 0.300, 77_021_856, 171.0, 374.0, 402.0),
    ("int4", "student", "onnx-genai", 0.402, 0.261, 46_410_224, 183.0, 349.0, 391.0),
)


def measured(value: float, n: int = 300) -> dict[str, Any]:
    half = 1.96 * math.sqrt(max(value * (1 - value), 0.0004) / n)
    return {"value": value, "n": n, "low": max(0.0, value - half), "high": value + half}


@pytest.fixture
def report() -> dict[str, Any]:
    rows = [
        {
            "name": name,
            "role": role,
            "format": format_,
            "metrics": {
                "exact_match": measured(exact),
                "errant_precision": measured(min(1, f05 * 1.2)),
                "errant_recall": measured(f05 * 0.6),
                "errant_f0.5": measured(f05),
                "gleu": measured(0.4 + f05 / 2),
                "lints": measured(0.3 - f05 / 4),
            },
            "slices": {"unseen": {"exact_match": measured(exact * 0.7), "errant_f0.5": measured(f05 * 0.7)}},
            "bytes": size,
            "tokens_per_second": speed,
            "latency_ms": None if p50 is None else {"p50": p50, "p95": p95},
        }
        for name, role, format_, f05, exact, size, speed, p50, p95 in SYSTEMS
    ]
    differences = [
        {"model": "q8", "against": "gold", "metric": "errant_f0.5", "value": 0.110, "low": 0.042, "high": 0.178, "n": 300},
        {"model": "q8", "against": "teacher", "metric": "errant_f0.5", "value": -0.241, "low": -0.309, "high": -0.173, "n": 300},
        {"model": "q8", "against": "rules", "metric": "errant_f0.5", "value": 0.129, "low": 0.061, "high": 0.199, "n": 300},
        {"model": "refined", "against": "gold", "metric": "errant_f0.5", "value": 0.112, "low": 0.043, "high": 0.180, "n": 300},
        {"model": "int4", "against": "gold", "metric": "errant_f0.5", "value": 0.071, "low": -0.003, "high": 0.141, "n": 300},
    ]
    gates = [
        {"name": "better", "level": "error", "verdict": "pass", "model": "q8", "metric": "errant_f0.5", "against": "gold", "margin": None}
        | {"difference": 0.110, "low": 0.042, "high": 0.178, "n": 300},
        {"name": "close", "level": "warn", "verdict": "fail", "model": "q8", "metric": "errant_f0.5", "against": "teacher", "margin": 0.05}
        | {"difference": -0.241, "low": -0.309, "high": -0.173, "n": 300},
    ]
    seconds = {"teacher": 394.0, "small": 396.0, "gold": 798.0, "refined": 1241.0, "q8": 1253.0, "int4": 1250.0}
    directions = {"exact_match": "higher", "errant_f0.5": "higher", "lints": "lower"}
    extra = {"seconds": seconds, "directions": directions}
    run = extra | {"name": "grammar", "profile": "quick", "seed": 0, "data": "seen", "metric": "errant_f0.5", "differences": differences}
    return {"run": run, "rows": rows, "gates": gates}


@pytest.fixture
def details() -> dict[str, Any]:
    def history(steps: int, floor: float, top: float) -> list[dict[str, Any]]:
        return [
            {
                "step": step,
                "train_loss": floor * 0.8 + 2.4 * math.exp(-3.4 * step / steps),
                "validation_loss": floor + 2.1 * math.exp(-3 * step / steps) + 0.35 * max(0, step / steps - 0.6) ** 2,
                "errant_f0.5": top * (1 - math.exp(-3.1 * step / steps)) - 0.08 * max(0, step / steps - 0.85),
            }
            for step in range(0, steps + 1, max(1, steps // 12))
        ]

    def step(steps: int, best: int, floor: float, top: float, seconds: float, stopped: str = "all steps done") -> dict[str, Any]:
        facts = {"steps": steps, "best_step": best, "tokens": steps * 570, "stopped": stopped, "seconds": seconds}
        return {**facts, "metric": "errant_f0.5", "history": history(steps, floor, top)}

    return {
        "curves": {
            "teacher": step(144, 132, 0.34, 0.7, 371.0),
            "student": step(240, 220, 0.62, 0.41, 452.0, "no better for 2 evaluations"),
            "refined": step(60, 60, 0.5, 0.44, 61.0),
            "gold": step(300, 125, 0.9, 0.34, 402.0),
        },
        "stages": [
            {"id": "teacher", "seconds": 371.0},
            {"id": "answers", "seconds": 203.0},
            {"id": "student/capture", "seconds": 118.0},
            {"id": "student", "seconds": 452.0},
            {"id": "refined", "seconds": 61.0},
            {"id": "gold", "seconds": 402.0},
            {"id": "test", "seconds": 33.0},
            {"id": "test/measure", "seconds": 141.0},
            {"id": "q8", "seconds": 12.2},
            {"id": "int4", "seconds": 9.4},
        ],
        "funnel": [
            {"name": "prose", "generated": 31584, "kept": 31584, "dropped": {}},
            {"name": "answers", "generated": 1200, "kept": 1177, "dropped": {"length": 23}},
            {"name": "clean", "generated": 1177, "kept": 1093, "dropped": {"duplicate": 51, "too_long": 20, "contaminated": 13}},
        ],
        "samples": {
            "model": "q8",
            "data": "seen",
            "worst": [
                {
                    "input": "Returns a array of which shape are broadcast to the others.",
                    "output": "Returns a array of which shape is broadcast to others.",
                    "target": "Returns an array whose shape is broadcast to the others.",
                },
                {
                    "input": "The <script>alert(1)</script> tag were remove from output.",
                    "output": "The <script>alert(1)</script> tag were removed from output.",
                    "target": "The <script>alert(1)</script> tag was removed from the output.",
                },
            ],
            "best": [
                {
                    "input": "This methods return the numbers of element in tensor.",
                    "output": "This method returns the number of elements in the tensor.",
                    "target": "This method returns the number of elements in the tensor.",
                }
            ],
        },
        "licenses": [
            {"name": "smollm2", "license": "Apache-2.0", "obligations": ["give a copy of the license", "keep notices", "state changes"]},
            {"name": "docstrings (numpy, scipy, torch)", "license": None, "obligations": ["read at run time; no text is in the bundle"]},
        ],
        "reproduce": {
            "facts": ["seed 0", "profile quick", "25 stages"],
            "versions": {"distillc": "0.1.0", "torch": "2.13.0", "transformers": "5.17.0"},
            "keys": {"prose": "3f" * 32, "teacher": "a1" * 32, "student": "77" * 32},
        },
    }
