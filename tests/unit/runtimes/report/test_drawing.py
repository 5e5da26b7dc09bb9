"""Axes have round numbers; text in a drawing is text."""

from distillc.runtimes.report.drawing import Drawing, Scale, log_ticks, ticks


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ticks(0.013, 0.052, 4) == [0.02, 0.03, 0.04, 0.05]
    assert ticks(5, 5) == [5]


def test_logarithmic_ticks_go_by_one_two_five() -> None:
    assert log_ticks(3, 60) == [5, 10, 20, 50]
    assert log_ticks(1, 100_000) == [1, 10, 100, 1000, 10_000, 100_000]


def test_a_logarithmic_scale_puts_the_geometric_mean_in_the_middle() -> None:
    assert Scale(1, 100, 0, 10, log=True)(10) == 5


def test_text_and_attributes_are_escaped() -> None:
    drawing = Drawing(10, 10, '"<x>')
    drawing.text(0, 0, "<script>&", class_='a" onload="x')
    assert "<script>" not in drawing.markup() and ' onload="' not in drawing.markup()
    assert "&lt;script&gt;&amp;" in drawing.markup()
