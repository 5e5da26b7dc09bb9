"""Quality, latency and size in one picture: a bubble a system, log latency across, quality up, area by bytes.

Labels never cover each other or another bubble's centre: each takes the first free place around its bubble, further out with a
leader line when the near places are taken.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from distillc.runtimes.report import figures
from distillc.runtimes.report.drawing import Drawing, Scale, log_ticks, text_width, tick_text, ticks

WIDTH, HEIGHT = 1100, 470
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 18, 52
FONT = 12.5
LARGEST, SMALLEST = 34.0, 5.0


@dataclass(frozen=True, slots=True)
class Bubble:
    """`quality` with its interval, `latency` in milliseconds (p50), `bytes` None for systems without weights."""

    name: str
    role: str
    quality: float
    low: float | None
    high: float | None
    latency: float
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom

    def overlap(self, other: "Box") -> float:
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return wide * high if wide > 0 and high > 0 else 0.0

    def inside(self, other: "Box") -> bool:
        return self.left >= other.left and self.right <= other.right and self.top >= other.top and self.bottom <= other.bottom


def draw(bubbles: Sequence[Bubble], metric: str, *, lower: bool = False) -> Markup | None:
    """None when no system has both a score and a latency. Where `lower` is better, the axis is turned: up is better in every picture."""
    shown = [b for b in bubbles if b.latency > 0]
    if not shown:
        return None
    drawing = Drawing(WIDTH, HEIGHT, f"{metric} against latency, area by size")
    across, up = _scales(shown, lower)
    _axes(drawing, across, up, metric)
    largest = max((b.bytes or 0 for b in shown), default=0)
    spots = [(across(b.latency), up(b.quality), _radius(b.bytes, largest)) for b in shown]
    order = sorted(range(len(shown)), key=lambda i: -spots[i][2])
    for i in order:
        bubble, (x, y, radius) = shown[i], spots[i]
        if bubble.low is not None and bubble.high is not None:
            drawing.line(x, up(bubble.low), x, up(bubble.high), f"whisker {bubble.role}")
        facts = f"{bubble.name}: {metric} {figures.score(bubble.quality)}, p50 {figures.milliseconds(bubble.latency)} ms"
        facts += f", {figures.size(bubble.bytes)}" if bubble.bytes else ""
        weightless = "" if bubble.bytes else " weightless"
        drawing.add("circle", cx=x, cy=y, r=radius, class_=f"bubble {bubble.role}{weightless}", title=facts)
    for i, box in enumerate(place_labels([b.name for b in shown], spots, Box(LEFT, TOP, WIDTH - 4, HEIGHT - BOTTOM - 2))):
        _label(drawing, shown[i], spots[i], box)
    return drawing.markup()


def place_labels(names: Sequence[str], spots: Sequence[tuple[float, float, float]], area: Box) -> list[Box]:
    """A box for each label, in the order of `names`, pairwise apart wherever `area` has room. Spots are (x, y, radius)."""
    centres = [Box(x - 5, y - 5, x + 5, y + 5) for x, y, _ in spots]
    circles = [Box(x - r, y - r, x + r, y + r) for x, y, r in spots]
    placed: dict[int, Box] = {}
    for i in sorted(range(len(names)), key=lambda i: spots[i][2]):  # small bubbles first: they have the least room of their own
        best, cost = None, math.inf
        for distance, box in _places(names[i], spots[i]):
            if not box.inside(area):
                continue
            labels = sum(box.overlap(other) for other in placed.values())
            dots = sum(box.overlap(other) for other in centres)
            covered = sum(box.overlap(other) for j, other in enumerate(circles) if j != i)
            found = labels * 1e6 + dots * 1e3 + covered + distance
            if found < cost:
                best, cost = box, found
        placed[i] = best or next(box for _, box in _places(names[i], spots[i]))
    return [placed[i] for i in range(len(names))]


def _places(name: str, spot: tuple[float, float, float]) -> Iterator[tuple[float, Box]]:
    x, y, radius = spot
    wide, high = text_width(name, FONT) + 4, FONT + 3
    for distance in (0, 8, 18, 30, 44, 60, 80, 104, 132, 164, 200, 250, 300):
        reach = radius + 4 + distance
        for step in range(16):
            angle = math.pi * 2 * step / 16
            across, up = math.cos(angle), math.sin(angle)
            left = x + across * reach + (across - 1) / 2 * wide
            top = y + up * reach + (up - 1) / 2 * high
            yield distance * 4 + (step != 0) * 2 + (step % 4 != 0) * 2, Box(left, top, left + wide, top + high)


def _label(drawing: Drawing, bubble: Bubble, spot: tuple[float, float, float], box: Box) -> None:
    x, y, radius = spot
    near = (min(max(x, box.left), box.right), min(max(y, box.top), box.bottom))
    away = math.dist(near, (x, y))
    if away > radius + 12:
        drawing.line(x + (near[0] - x) * radius / away, y + (near[1] - y) * radius / away, *near, "leader")
    drawing.text(box.left + 2, box.bottom - 4, bubble.name, f"name {bubble.role}")


def _scales(bubbles: Sequence[Bubble], lower: bool) -> tuple[Scale, Scale]:
    latencies = [b.latency for b in bubbles]
    low, high = min(latencies) / 1.5, max(latencies) * 1.5
    tops = [b.high if b.high is not None else b.quality for b in bubbles]
    bottoms = [b.low if b.low is not None else b.quality for b in bubbles]
    room = (max(tops) - min(bottoms)) * 0.08 or 0.05
    across = Scale(low, high, LEFT + LARGEST / 2, WIDTH - RIGHT - LARGEST / 2, log=True)
    floor, ceiling = (TOP, HEIGHT - BOTTOM) if lower else (HEIGHT - BOTTOM, TOP)
    return across, Scale(min(bottoms) - room, max(tops) + room, floor, ceiling)


def _axes(drawing: Drawing, across: Scale, up: Scale, metric: str) -> None:
    floor, end = HEIGHT - BOTTOM, WIDTH - RIGHT
    for value in ticks(up.low, up.high):
        drawing.line(LEFT, up(value), end, up(value), "grid")
        drawing.text(LEFT - 8, up(value) + 4, tick_text(value), "tick", "end")
    for value in log_ticks(across.low, across.high):
        drawing.line(across(value), TOP, across(value), floor, "grid")
        drawing.text(across(value), floor + 17, tick_text(value), "tick", "middle")
    drawing.line(LEFT, floor, end, floor, "axis")
    drawing.text((LEFT + end) / 2, HEIGHT - 10, "latency p50, milliseconds (logarithmic) — left is faster", "caption", "middle")
    drawing.add(
        "text",
        f"{metric} — up is better",
        class_="caption",
        text_anchor="middle",
        transform=f"translate(16 {(TOP + floor) / 2:.0f}) rotate(-90)",
    )


def _radius(size: int | None, largest: int) -> float:
    if not size or not largest:
        return SMALLEST
    return max(SMALLEST, LARGEST * math.sqrt(size / largest))  # area, not radius, is in proportion
