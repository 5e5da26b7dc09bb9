"""What the compiler takes from the language: the typed spec after extends, profile and overrides, and where each value stands."""

from collections.abc import Callable
from dataclasses import dataclass

from distillc.spec.diagnostic import Span
from distillc.spec.model import Spec

Where = tuple[str | int, ...]
"""The way to a value in the file: section, name, key …"""


@dataclass(frozen=True, slots=True)
class Document:
    """`span(where)` is the place of a value, or of the nearest thing around it that has one. `file` is as the user named it."""

    spec: Spec
    text: str
    file: str
    span: Callable[[Where], Span | None]
    profile: str | None = None
    overrides: tuple[str, ...] = ()

    def line(self, where: Where) -> int | None:
        span = self.span(where)
        return span.line if span else None
