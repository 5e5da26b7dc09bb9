"""A hand-written SVG builder: elements with escaped text and attributes, and axes with round ticks.

Colours are CSS classes, never attributes, so that one drawing serves the light and the dark page.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

# Mean advance of the page's sans-serif in ems; 0.56 over-estimates ordinary text a little, so that labels keep their distance.
EM = 0.56


def number(value: float) -> str:
    """A coordinate, two decimals at most."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


@dataclass(slots=True)
class Drawing:
    """Elements in drawing order. `width` and `height` are the view box; the page scales it."""

    width: float
    height: float
    label: str
    stretch: bool = False  # fills its box, without regard to proportion
    parts: list[str] = field(default_factory=list)

    def add(self, tag: str, text: str | None = None, **attributes: float | str) -> None:
        """`class_` writes `class`, `stroke_width` writes `stroke-width`. A `title` attribute becomes a tooltip."""
        title = attributes.pop("title", None)
        written = "".join(
            f' {name.rstrip("_").replace("_", "-")}="{escape(number(value) if isinstance(value, (int, float)) else value)}"'
            for name, value in attributes.items()
        )
        inner = (f"<title>{escape(title)}</title>" if title is not None else "") + (str(escape(text)) if text is not None else "")
        self.parts.append(f"<{tag}{written}>{inner}</{tag}>" if inner else f"<{tag}{written}/>")

    def line(self, x1: float, y1: float, x2: float, y2: float, class_: str) -> None:
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)

    def text(self, x: float, y: float, text: str, class_: str = "label", anchor: str = "start") -> None:
        self.add("text", text, x=x, y=y, class_=class_, text_anchor=anchor)

    def path(self, points: Sequence[tuple[float, float]], class_: str) -> None:
        self.add("polyline", points=" ".join(f"{number(x)},{number(y)}" for x, y in points), class_=class_)

    def markup(self) -> Markup:
        proportion = ' preserveAspectRatio="none"' if self.stretch else ""
        return Markup(  # every text and attribute in `parts` went through escape()
            f'<svg viewBox="0 0 {number(self.width)} {number(self.height)}" role="img" aria-label="{escape(self.label)}"{proportion}>'
            + "".join(self.parts)
            + "</svg>"
        )


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps a domain to pixels, linearly or by logarithm (then both ends are positive)."""

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high = self._of(self.low), self._of(self.high)
        share = 0.5 if high == low else (self._of(value) - low) / (high - low)
        return self.start + share * (self.stop - self.start)

    def _of(self, value: float) -> float:
        return math.log10(max(value, 1e-12)) if self.log else value


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers (1, 2, 2.5 or 5 times a power of ten apart) within [low, high]."""
    if not high > low:
        return [low]
    raw = (high - low) / max(1, wanted)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2, 5 times powers of ten within [low, high]; only the powers where the range is wide."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if high / low < 400 else (1,)
    return [found for power in powers for factor in factors if low * 0.999 <= (found := round(factor * 10.0**power, 9)) <= high * 1.001]


def tick_text(value: float) -> str:
    return f"{value:g}"


def text_width(text: str, size: float) -> float:
    """An upper estimate in pixels of the width of `text` at `size` pixels."""
    return sum(1.0 if ord(c) > 0x2E80 else EM if c not in "mwMW@%" else 0.9 for c in text) * size
