"""Fixes that many findings share: another word in a word's place, quotes put on or taken off.

Each answers with None where it is not sure to touch that one word alone: where quotes hold escapes, or the text goes over several lines.
"""

import re

from distillc.spec.diagnostic import Applicability, Edit, Fix, Span
from distillc.spec.nodes import Node, ScalarNode
from distillc.spec.scalars import scalar_value

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
"""Texts that need no quotes, in braces neither, where they do not look like a number or the like."""
_QUOTABLE = re.compile(r"[\w ./:@+{}-]*")
"""Texts that mean themselves in quotes of either kind."""
_SPOKEN = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
"""What YAML 1.1 took for true and false."""


def respelled(span: Span, text: str, new: object, part: tuple[int, int] | None = None) -> Fix | None:
    """`new`, a scalar, in the place of `text`, which is the scalar at `span`, or of a `part` of it. A guess."""
    place = _inside(span, text)
    start, end = part or (0, len(text))
    if place is None:
        return None
    whole = text[:start] + str(new) + text[end:]
    if isinstance(new, str) and (_bare(whole) if place == span else _QUOTABLE.fullmatch(new)):
        where = Span(place.file, place.line, place.column + start, place.line, place.column + end)
        edit = Edit(where, new)
    elif part is None:
        edit = Edit(span, written(new))
    else:
        return None
    return Fix(f"replace `{text[start:end]}` by `{new}`", (edit,), Applicability.UNSAFE)


def written(value: object) -> str:
    """A scalar as it is written in a spec."""
    if isinstance(value, str) and _bare(value):
        return value
    from json import dumps  # YAML's double quotes understand all that it writes

    return dumps(value, ensure_ascii=False)


def _bare(text: str) -> bool:
    return _BARE.fullmatch(text) is not None and isinstance(scalar_value(text), str)


def retyped(node: Node, wanted: str) -> Fix | None:
    """A scalar in the form of the type that is wanted; `wanted` is in the words of `values.NOUNS`."""
    place = _inside(node.span, node.text) if isinstance(node, ScalarNode) else None
    if not isinstance(node, ScalarNode) or place is None:
        return None
    new: str | None = None
    applicability = Applicability.SAFE
    if not isinstance(node.value, str):
        if "a text" in wanted and node.value is not None:
            new = f'"{node.text}"'
            if isinstance(node.value, bool):  # a number must have been meant as it is written; this may have been meant as nothing
                applicability = Applicability.UNSAFE
    elif not node.plain:
        if place != node.span and _is_wanted(scalar_value(node.text), wanted):  # quotes, not a tag, make a text of it
            new = node.text
    elif "true or false" in wanted:
        new = _SPOKEN.get(node.text.lower())
        applicability = Applicability.UNSAFE
    elif "number" in wanted and re.fullmatch(r"[0-9]+(?:_[0-9]+)+", node.text):
        new = node.text.replace("_", "")
    elif wanted == "a list" and _bare(node.text):
        new = f"[{node.text}]"
    return Fix(f"write {new}", (Edit(node.span, new),), applicability) if new else None


def _is_wanted(value: str | int | float | bool | None, wanted: str) -> bool:
    if isinstance(value, bool):
        return "true or false" in wanted
    if not isinstance(value, int | float) or value != value or abs(value) == float("inf"):
        return False
    return "a number" in wanted or ("a whole number" in wanted and value == int(value))


def _inside(span: Span, text: str) -> Span | None:
    """The place of the text itself, without quotes; None where it is not written as it is, letter by letter."""
    if span.line != span.end_line:
        return None
    width = span.end_column - span.column
    if width == len(text):
        return span
    if width == len(text) + 2:
        return Span(span.file, span.line, span.column + 1, span.line, span.end_column - 1)
    return None
