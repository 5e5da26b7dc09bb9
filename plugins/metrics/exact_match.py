"""Exact match: an output counts when it equals one of its references, white space around it aside."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from distillc.plugins.api.metrics import Item
from distillc.plugins.metrics.configs import ExactMatchConfig


class ExactMatch:
    def __init__(self, config: ExactMatchConfig) -> None:
        self.ignore_case = config.ignore_case

    def statistics(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """Shape (items, 1): 1 for a match."""
        found = [self.plain(item.output) in {self.plain(reference) for reference in item.references} for item in items]
        return np.array(found, dtype=np.float64).reshape(-1, 1)

    def aggregate(self, totals: NDArray[np.float64], n: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
        return {"": totals[..., 0] / n}

    def plain(self, text: str) -> str:
        return text.strip().casefold() if self.ignore_case else text.strip()
