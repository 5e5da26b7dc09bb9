"""How numbers are written for people: sizes, times, scores with their intervals.

A missing figure is an en dash, never a zero.
"""

import math
import unicodedata
from collections.abc import Mapping
from typing import Any

MISSING = "–"


def size(count: float | None) -> str:
    """Bytes in decimal units with three digits: `61.4 MB`."""
    if count is None:
        return MISSING
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"


def duration(seconds: float | None) -> str:
    """`0.4 s`, `48 s`, `6 min 12 s`, `1 h 03 min`."""
    if seconds is None:
        return MISSING
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def milliseconds(value: float | None) -> str:
    """Three significant digits below a thousand: `0.42`, `8.1`, `134`, then `1340`."""
    if value is None:
        return MISSING
    if value < 0.995:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 99.5 else f"{value:.0f}"


def rate(value: float | None) -> str:
    """Tokens a second."""
    if value is None:
        return MISSING
    return f"{value:.1f}" if value < 99.5 else f"{value:,.0f}".replace(",", " ")


def score(value: float | None) -> str:
    """Three decimals for scores in [-10, 10], one above."""
    if value is None or math.isnan(value):
        return MISSING
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def signed(value: float | None) -> str:
    """A difference: `+0.052`, `−0.013`, with a real minus sign."""
    if value is None or math.isnan(value):
        return MISSING
    return ("+" if value >= 0 else "−") + score(abs(value))


def interval(measured: Mapping[str, Any] | None) -> str:
    """`0.392 [0.351, 0.433]`, or the bare value where there is no interval."""
    if not measured or measured.get("value") is None:
        return MISSING
    low, high = measured.get("low"), measured.get("high")
    if low is None or high is None:
        return score(measured["value"])
    return f"{score(measured['value'])} [{score(low)}, {score(high)}]"


def printable(text: object) -> str:
    """Text from outside for a terminal: no control characters (escape sequences among them), no bidirectional overrides, one line."""
    shown = "".join(" " if c in "\t\r\n" else c for c in str(text))
    return "".join(c for c in shown if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"})
