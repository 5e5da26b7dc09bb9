"""A delivery with two small exports, made by hand."""

from pathlib import Path
from typing import Any

import pytest

from distillc.plugins.api.artifacts import Decoding, Model, ModelInfo, Task
from distillc.plugins.api.targets import Delivery


@pytest.fixture
def delivery(tmp_path: Path) -> Delivery:
    made = tmp_path / "made"
    (made / "q8").mkdir(parents=True)
    (made / "q8" / "student.gguf").write_bytes(b"GGUF" + bytes(60))
    (made / "int4" / "deep").mkdir(parents=True)
    (made / "int4" / "model.onnx").write_bytes(bytes(range(64)))
    (made / "int4" / "deep" / "genai_config.json").write_text("{}")
    (made / "report.html").write_text("<!doctype html><title>report</title>")
    shared: dict[str, Any] = {"family": "smollm2", "license": "Apache-2.0", "lineage": ("smollm2",), "parameters": 70_000_000}
    return Delivery(
        name="grammar",
        spec_text="distill: 1\nname: grammar\n",
        exports={
            "q8": Model(made / "q8", ModelInfo(format="gguf", name="q8", precision="q8_0", **shared)),
            "int4": Model(made / "int4", ModelInfo(format="onnx-genai", name="int4", precision="int4", **shared)),
        },
        evaluation={
            "run": {"name": "grammar", "data": "seen", "seed": 0},
            "rows": [
                {
                    "name": "q8",
                    "role": "student",
                    "format": "gguf",
                    "metrics": {"errant_f0.5": {"value": 0.4412, "n": 120, "low": 0.385, "high": 0.497}},
                    "slices": {"unseen": {"errant_f0.5": {"value": 0.309, "n": 120, "low": 0.256, "high": 0.361}}},
                    "bytes": 77_021_856,
                    "tokens_per_second": 171.0,
                    "latency_ms": {"p50": 374.0, "p95": 402.0},
                }
            ],
            "gates": [{"name": "better", "level": "error", "verdict": "pass"}, {"name": "close", "level": "warn", "verdict": "fail"}],
        },
        report=made / "report.html",
        lock='{"sources": {}}\n',
        lineage=(
            {"name": "smollm2", "family": "smollm2", "license": "Apache-2.0", "uses": "transformers", "path": "pkg://pytest/x.gguf"},
            {"name": "strange", "family": None, "license": None, "uses": "transformers", "path": None},
        ),
        data=({"name": "prose", "uses": "docstrings", "revisions": {"numpy": "2.4.6"}, "rows": {"train": 900, "test": 120}},),
        prompts=(
            {
                "row_id": "a",
                "input": "He go",
                "prompt": "Correct: He go\nFixed:",
                "token_ids": {"q8": [1, 2]},
                "answers": {"q8": "He goes"},
            },
        ),
        task=Task(kind="generate", input="text", target="fixed", prompt="Correct: {{ text }}\nFixed:"),
        decoding=Decoding(max_tokens=48, stop=("\n",)),
    )
