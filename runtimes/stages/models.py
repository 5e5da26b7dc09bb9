"""What the stages that write models share: `distill.json` beside the weights, and the artifact's meta."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from distillc.plugins.api.artifacts import ModelInfo


def describe(out: Path, info: ModelInfo) -> dict[str, Any]:
    """Writes `distill.json` into `out`; returns the meta of a model's artifact."""
    data = asdict(info)
    (out / "distill.json").write_text(json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    return {"info": data}
