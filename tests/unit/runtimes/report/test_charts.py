"""Colours follow what is better, not what is larger."""

import pytest

from distillc.runtimes.report import charts


@pytest.mark.parametrize(
    ("low", "high", "lower", "sign"),
    [(0.1, 0.3, False, "good"), (-0.3, -0.1, False, "bad"), (0.1, 0.3, True, "bad"), (-0.3, -0.1, True, "good"), (-0.1, 0.1, True, "open")],
)
def test_the_sign_of_a_difference(low: float, high: float, lower: bool, sign: str) -> None:
    drawing = charts.difference({"value": (low + high) / 2, "low": low, "high": high}, 0.5, lower=lower)
    assert f'class="dot {sign}"' in drawing


def test_the_margin_stands_on_the_worse_side() -> None:
    entry = {"value": 0.0, "low": -0.1, "high": 0.1}
    x = [
        float(charts.difference(entry, 1.0, 0.5, lower=lower).split('class="margin"')[0].rsplit('x2="', 1)[1].split('"')[0])
        for lower in (False, True)
    ]
    assert x == [68.0, 192.0]  # a quarter and three quarters of the way from 6 to 254


def test_steps_are_whole_numbers() -> None:
    drawing = charts.curve([(4.0, 1.0), (12.0, 0.5)], "loss", 12.0, "loss")
    labels = [part.split(">")[1].split("<")[0] for part in drawing.split('text-anchor="middle"')[1:]]
    assert labels == ["0", "5", "10"]
