"""Metrics and judges turn outputs into sufficient statistics per item, so that every interval can be paired and resampled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Item:
    """One test item with one system's output. `group` (a module, a document) is what a clustered bootstrap resamples."""

    row_id: str
    input: str
    output: str
    references: tuple[str, ...]
    group: str = ""


class Metric(Protocol):
    """Made as `impl(config)`; judges have the same face.

    `statistics` gives d numbers an item (true positives, false positives …; a judge that cannot parse its verdict gives NaN,
    which counts as a parse failure, never as a score). `aggregate` turns *sums* of them into values.
    """

    def statistics(self, items: Sequence[Item]) -> "NDArray[np.float64]":
        """Shape (items, d)."""
        ...

    def aggregate(self, totals: "NDArray[np.float64]", n: "NDArray[np.float64]") -> Mapping[str, "NDArray[np.float64]"]:
        """Values from sums over items. `totals` has shape (…, d), `n` shape (…): the number of items summed. Each value has shape (…).

        Keys are those of the manifest's `values` (`f0.5`, or `""` for a plugin with one value); a spec names them `PLUGIN_VALUE`.
        """
        ...
