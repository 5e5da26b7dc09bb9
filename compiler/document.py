"""What the compiler takes from the language: the typed spec after extends, profile and overrides, and its text."""

from dataclasses import dataclass

from distillc.spec.model import Spec

Where = tuple[str | int, ...]
"""The way to a value in the file: section, name, key …"""


@dataclass(frozen=True, slots=True)
class Document:
    """`file` is as the user named it. Where values stand, the outline knows."""

    spec: Spec
    text: str
    file: str
    profile: str | None = None
    overrides: tuple[str, ...] = ()
