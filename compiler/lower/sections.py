"""Which function lowers the steps of a section."""

from collections.abc import Callable, Mapping
from typing import Any

from distillc.compiler.lower.deploy import lower_deploy
from distillc.compiler.lower.evaluate import lower_evaluate
from distillc.compiler.lower.graph import Graph, Step
from distillc.compiler.lower.models import lower_model, lower_quantize
from distillc.compiler.lower.rows import lower_curate, lower_data, lower_generate
from distillc.compiler.lower.train import lower_capture, lower_train

LOWER: Mapping[str, Callable[[Graph, Step, Any], None]] = {
    "data": lower_data,
    "generate": lower_generate,
    "curate": lower_curate,
    "capture": lower_capture,
    "models": lower_model,
    "train": lower_train,
    "quantize": lower_quantize,
    "evaluate": lower_evaluate,
    "deploy": lower_deploy,
}


def lower_step(graph: Graph, section: str, name: str) -> None:
    """Adds a step's stages to the graph. All that it hangs on is there."""
    body = getattr(graph.spec, section)[name]
    LOWER[section](graph, Step(section, name, body), body)
