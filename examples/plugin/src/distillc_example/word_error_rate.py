"""Word error rate: substitutions, insertions and deletions from output to reference, per word of the reference.

Levenshtein distance over words; of several references the one that gives the lowest rate counts.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from distillc.plugins.api.metrics import Item
from distillc_example.configs import WordErrorRateConfig


class WordErrorRate:
    def __init__(self, config: WordErrorRateConfig) -> None:
        self.case = config.case

    def statistics(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """Shape (items, 2): edits, words of the reference. Sums of them are what intervals are drawn from."""
        return np.array([self._best(item) for item in items], dtype=np.float64).reshape(len(items), 2)

    def aggregate(self, totals: NDArray[np.float64], n: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
        """`totals` has shape (…, 2); edits over words, shape (…)."""
        return {"": totals[..., 0] / np.maximum(totals[..., 1], 1.0)}

    def _best(self, item: Item) -> tuple[int, int]:
        output = self._words(item.output)
        counted = [(word_edits(output, words), len(words)) for words in map(self._words, item.references)]
        return min(counted, key=lambda pair: (pair[0] / max(pair[1], 1), pair[1]))

    def _words(self, text: str) -> list[str]:
        return (text if self.case else text.casefold()).split()


def word_edits(output: Sequence[str], reference: Sequence[str]) -> int:
    """The fewest substitutions, insertions and deletions of words."""
    row = list(range(len(reference) + 1))
    for i, word in enumerate(output, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(reference, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]
