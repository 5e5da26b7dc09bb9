"""Exact match."""

import numpy as np

from distillc.plugins.api.metrics import Item
from distillc.plugins.metrics.configs import ExactMatchConfig
from distillc.plugins.metrics.exact_match import ExactMatch

ITEMS = [Item("1", "", " He goes. ", ("He goes.",)), Item("2", "", "he goes.", ("He goes.", "x")), Item("3", "", "x", ("He goes.", "x"))]


def test_white_space_around_does_not_count_and_case_does() -> None:
    assert ExactMatch(ExactMatchConfig()).statistics(ITEMS).tolist() == [[1], [0], [1]]
    assert ExactMatch(ExactMatchConfig(ignore_case=True)).statistics(ITEMS).tolist() == [[1], [1], [1]]


def test_the_value_is_the_share() -> None:
    assert ExactMatch(ExactMatchConfig()).aggregate(np.array([[2.0], [3.0]]), np.array([3.0, 3.0]))[""].tolist() == [2 / 3, 1.0]
