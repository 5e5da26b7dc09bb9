"""GLEU for grammatical error correction: n-gram precision that pays for what should have been changed and was not.

Napoles, Sakaguchi, Post, Tetreault: Ground Truth for Grammatical Error Correction Metrics, ACL 2015, as changed in GLEU Without
Tuning, 2016, arXiv 1605.02592: matches with the reference, minus matches with n-grams that only the source has. With several
references the paper averages over random choices of one; here each item brings the mean of its references' counts, which is
what those choices add up to on average.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from distillc.plugins.api.metrics import Item
from distillc.plugins.metrics.configs import GleuConfig

# The metric is made for tokenized text: words with their inner apostrophes and hyphens, every other mark alone.
TOKEN = re.compile(r"\w+(?:[-'’]\w+)*|[^\w\s]")


class Gleu:
    def __init__(self, config: GleuConfig) -> None:
        self.order = config.order

    def statistics(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """Shape (items, 2 + 2 · order): length, reference length, then matches and possible matches of each order."""
        return np.array([self.counts(item) for item in items], dtype=np.float64).reshape(len(items), 2 + 2 * self.order)

    def aggregate(self, totals: NDArray[np.float64], n: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
        """exp(min(0, 1 − reference length / length) + mean log precision); 0 where any count is 0, as in the authors' script."""
        length, wanted = totals[..., 0], totals[..., 1]
        matches, possible = totals[..., 2::2], totals[..., 3::2]
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.exp(np.minimum(0.0, 1 - wanted / length) + np.log(matches / possible).mean(-1))
        return {"": np.where((totals > 0).all(-1), value, 0.0)}

    def counts(self, item: Item) -> list[float]:
        output = TOKEN.findall(item.output)
        source = TOKEN.findall(item.input)
        each = [self.against(output, source, TOKEN.findall(reference)) for reference in item.references]
        return [sum(column) / len(each) for column in zip(*each, strict=True)]

    def against(self, output: list[str], source: list[str], reference: list[str]) -> list[int]:
        found = [len(output), len(reference)]
        for order in range(1, self.order + 1):
            ours, theirs, wanted = grams(output, order), grams(source, order), grams(reference, order)
            unwanted = Counter({gram: count for gram, count in theirs.items() if gram not in wanted})
            found.append(max(0, (ours & wanted).total() - (ours & unwanted).total()))
            found.append(max(0, len(output) + 1 - order))
        return found


def grams(tokens: list[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[at : at + order]) for at in range(len(tokens) + 1 - order))
