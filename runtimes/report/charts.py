"""The page's smaller pictures: intervals in a table cell, differences around zero, learning curves, bars."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from distillc.runtimes.report import figures
from distillc.runtimes.report.drawing import Drawing, Scale, tick_text, ticks


def interval_cell(measured: Mapping[str, Any], low: float, high: float, role: str) -> Markup:
    """A point with its interval on a scale that all cells of a column share."""
    drawing = Drawing(50, 15, figures.interval(measured))
    scale = Scale(low, high, 4, 46)
    drawing.line(4, 8, 46, 8, "track")
    if measured.get("low") is not None and measured.get("high") is not None:
        drawing.line(scale(measured["low"]), 8, scale(measured["high"]), 8, f"range {role}")
    drawing.add("circle", cx=scale(measured["value"]), cy=8, r=3.4, class_=f"dot {role}")
    return drawing.markup()


def difference(entry: Mapping[str, Any], reach: float, margin: float | None = None, *, lower: bool = False) -> Markup:
    """A difference and its interval around zero; `reach` is the largest value to fit; a margin is dashed. `lower`: less is better."""
    drawing = Drawing(260, 22, f"{figures.signed(entry['value'])}")
    scale = Scale(-reach, reach, 6, 254)
    drawing.line(6, 11, 254, 11, "track")
    drawing.line(scale(0), 1, scale(0), 21, "zero")
    if margin:
        bound = margin if lower else -margin
        drawing.line(scale(bound), 1, scale(bound), 21, "margin")
    low, high = entry.get("low"), entry.get("high")
    sign = "open"
    if low is not None and high is not None:
        good, bad = (high < 0, low > 0) if lower else (low > 0, high < 0)
        sign = "good" if good else "bad" if bad else "open"
        drawing.line(scale(low), 11, scale(high), 11, f"range {sign}")
    drawing.add("circle", cx=scale(entry["value"]), cy=11, r=4, class_=f"dot {sign}")
    return drawing.markup()


def curve(
    points: Sequence[tuple[float, float]], title: str, best: float | None, series: str, more: Sequence[tuple[float, float]] = ()
) -> Markup:
    """One quantity against the train step; `best` is the step whose weights were kept; `more` a second, paler line."""
    wide, high = 520, 210
    drawing = Drawing(wide, high, title)
    values = [y for _, y in (*points, *more)]
    steps = [x for x, _ in (*points, *more)]
    room = (max(values) - min(values)) * 0.12 or max(abs(max(values)) * 0.1, 0.01)
    up = Scale(min(values) - room, max(values) + room, high - 28, 24)
    across = Scale(min(0.0, *steps) if len(steps) > 1 else 0.0, max(steps) or 1, 46, wide - 14)
    drawing.text(0, 12, title, "title")
    for value in ticks(up.low, up.high, 4):
        drawing.line(46, up(value), wide - 14, up(value), "grid")
        drawing.text(40, up(value) + 4, tick_text(value), "tick", "end")
    for value in (tick for tick in ticks(across.low, across.high, 5) if tick == int(tick)):
        drawing.text(across(value), high - 12, tick_text(value), "tick", "middle")
    if best is not None:
        drawing.line(across(best), 24, across(best), high - 28, "best")
    if more:
        drawing.path([(across(x), up(y)) for x, y in more], f"curve pale {series}")
    drawing.path([(across(x), up(y)) for x, y in points], f"curve {series}")
    for x, y in points:
        kept = best is not None and x == best
        drawing.add(
            "circle",
            cx=across(x),
            cy=up(y),
            r=4.5 if kept else 2.6,
            class_=f"point {series}{' kept' if kept else ''}",
            title=f"step {x:g}: {y:.4g}",
        )
    return drawing.markup()


def bar(parts: Sequence[tuple[str, float]], total: float) -> Markup:
    """One horizontal bar; `parts` are (class, amount) from left to right, to the scale of `total`."""
    drawing = Drawing(300, 9, "share", stretch=True)
    drawing.add("rect", x=0, y=1, width=300, height=7, class_="track")
    at = 0.0
    for class_, amount in parts:
        wide = 300 * amount / total if total else 0.0
        if wide > 0:
            drawing.add("rect", x=at, y=1, width=max(wide, 0.75), height=7, class_=f"bar {class_}")
        at += wide
    return drawing.markup()
