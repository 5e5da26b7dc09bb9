"""Items and their numbers: what a metric cannot say is null, and breaks no file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from distillc.plugins.api.metrics import Item
from distillc.runtimes.proof.items import Answers, Scored, all_differences, summarize, write_json

Numbers = NDArray[np.float64]


class Undefined:
    """A metric that divides by what no item has."""

    def __init__(self, by: float) -> None:
        self.by = by

    def statistics(self, items: Sequence[Item]) -> Numbers:
        return np.ones((len(items), 1))

    def aggregate(self, totals: Numbers, n: Numbers) -> Mapping[str, Numbers]:
        return {"": np.full(np.shape(n), self.by)}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_does_not_exist_is_null(value: float, tmp_path: Path) -> None:
    metric = Undefined(value)
    items = tuple(Item(str(number), "in", "out", ("gold",)) for number in range(4))
    scored = [Scored(Answers("seen", model, items), "odd", metric.statistics(items)) for model in ("one", "other")]
    summary, differences = summarize(scored, {"odd": metric}, 0), all_differences(scored, {"odd": metric}, 0)
    write_json(tmp_path / "summary.json", summary)
    write_json(tmp_path / "differences.json", differences)
    assert json.loads((tmp_path / "summary.json").read_text())["seen"]["one"]["odd"]["value"] is None
    assert json.loads((tmp_path / "differences.json").read_text())["seen"]["other"]["one"]["odd"]["value"] is None
