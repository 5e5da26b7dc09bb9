"""Quantizers turn a trained model into an export that an engine reads."""

from pathlib import Path
from typing import Protocol

from distillc.plugins.api.artifacts import Model, ModelInfo


class Quantizer(Protocol):
    """Made as `impl(config)`."""

    def quantize(self, model: Model, out: Path, *, name: str) -> ModelInfo:
        """Writes the export into `out`; the same bytes each time for the same model. Raises StageFailed with the way out."""
        ...
