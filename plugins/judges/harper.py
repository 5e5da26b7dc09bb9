"""Harper as a judge: how many lints it has for an output. It needs no reference and descends from no model."""

from collections.abc import Mapping, Sequence

import harper
import numpy as np
from numpy.typing import NDArray

from distillc.plugins.api.metrics import Item
from distillc.plugins.judges.configs import HarperConfig


class HarperJudge:
    def __init__(self, config: HarperConfig) -> None:
        self.linter = harper.Linter(dialect=harper.Dialect[config.dialect.upper()])
        self.seen: dict[str, int] = {}

    def statistics(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """Shape (items, 1): lints. An empty output has none to be found; it is charged with one, so that silence does not win."""
        return np.array([self.lints(item.output.strip()) for item in items], dtype=np.float64).reshape(-1, 1)

    def aggregate(self, totals: NDArray[np.float64], n: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
        return {"": totals[..., 0] / n}

    def lints(self, text: str) -> int:
        if text not in self.seen:
            self.seen[text] = len(self.linter.lint(text)) if text else 1
        return self.seen[text]
