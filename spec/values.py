"""What a value is, what was wanted and what to write instead, in words."""

import math
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from distillc.spec.diagnostic import Fix
from distillc.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode
from distillc.spec.scalars import scalar_value
from distillc.spec.wording import listing, shorten

NOUNS = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_-]*$"
NAME_FORM = "letters, digits, `_` and `-`, and no digit first"
MAX_FLOAT = int(sys.float_info.max)
"""No number of the language is larger; one that is would become infinite on its way."""
URL_PATTERN = r"^https?://[^\s]+$"


def types_of(schema: Mapping[str, Any]) -> tuple[str, ...]:
    names = schema.get("type", ())
    return (names,) if isinstance(names, str) else tuple(names)


def is_of_type(node: Node, name: str) -> bool:
    if isinstance(node, MappingNode):
        return name == "object"
    if isinstance(node, SequenceNode):
        return name == "array"
    value = node.value
    if isinstance(value, bool):
        return name == "boolean"
    if isinstance(value, str):
        return name == "string"
    if value is None:
        return name == "null"
    if isinstance(value, int):
        return name == "integer" or (name == "number" and abs(value) <= MAX_FLOAT)
    return math.isfinite(value) and (name == "number" or (name == "integer" and value == int(value)))


def got(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, str):
        return f"the text `{shorten(node.value)}`" if node.value else "an empty text"
    return f"`{shorten(node.text)}`"


def type_help(node: Node, wanted: str) -> str | None:
    if not isinstance(node, ScalarNode) or node.value is None:
        return None
    if "true or false" in wanted and node.text.lower() in ("yes", "no", "on", "off", "y", "n"):
        return "YAML 1.2 knows only true and false"
    if isinstance(node.value, str):
        if "number" in wanted and not node.plain and isinstance(scalar_value(node.text), int | float):
            return "leave the quotes away"
        if "number" in wanted and re.fullmatch(r"[0-9][0-9_,]*", node.text):
            return f"write {re.sub('[_,]', '', node.text)}"
        return f"write [{_written(node.value)}]" if wanted == "a list" else None
    return f'write "{shorten(node.text)}" if it is meant as text' if "a text" in wanted else None


def way_out(node: Node, wanted: str, schemas: Iterable[Mapping[str, Any]]) -> tuple[str | None, Fix | None]:
    """`wanted` in words, and the schemas that would have done."""
    from distillc.spec.fixes import retyped

    schemas = list(schemas)
    words = [str(value) for schema in schemas for value in schema.get("enum", ()) if value is not None]
    if words and not (isinstance(node, ScalarNode) and node.text in words):  # with another type it would still be none of them
        return f"one of {listing(words)}", None
    return type_help(node, wanted) or _keys_help(node, schemas) or _name_help(node, schemas), retyped(node, wanted)


def _keys_help(node: Node, schemas: Iterable[Mapping[str, Any]]) -> str | None:
    """The keys of a mapping, where something else stands."""
    required = next((schema["required"] for schema in schemas if "object" in types_of(schema) and schema.get("required")), None)
    return f"write `{{{', '.join(f'{key}: …' for key in required)}}}`" if required and not isinstance(node, MappingNode) else None


def _name_help(node: Node, schemas: Iterable[Mapping[str, Any]]) -> str | None:
    """What stands without the name that a map of the language has for it."""
    inner = node.items[0] if isinstance(node, SequenceNode) and node.items else node
    if isinstance(inner, ScalarNode) and isinstance(inner.value, str) and any(schema.get("additionalProperties") for schema in schemas):
        return f"give it a name of your own: {{NAME: {_written(inner.value)}}}"
    return None


def form_help(schema: Mapping[str, Any]) -> str:
    """The form that a text should have had."""
    if schema["pattern"] == URL_PATTERN:
        return "begin it with http:// or https://, and leave blanks out"
    return NAME_FORM if schema["pattern"] == NAME_PATTERN else schema.get("description") or f"it must match {schema['pattern']}"


def _written(text: str) -> str:
    from distillc.spec.fixes import written

    return shorten(written(text))


def broken_limit(value: float, schema: Mapping[str, Any]) -> str | None:
    """The bound that a number breaks, in words."""
    if "minimum" in schema and value < schema["minimum"]:
        return f"at least {schema['minimum']}"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        return f"more than {schema['exclusiveMinimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        return f"at most {schema['maximum']}"
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        return f"less than {schema['exclusiveMaximum']}"
    step = schema.get("multipleOf")
    return f"a multiple of {step}" if step and value % step else None


def range_help(schema: Mapping[str, Any]) -> str | None:
    """What numbers may stand here, where they are bounded on both sides, and what the field is."""
    least, most = ("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")
    low, high = (next(((key, schema[key]) for key in keys if key in schema), None) for keys in (least, most))
    what: str | None = schema.get("description")
    if low is None or high is None:
        return what
    above, below = ("more than " if low[0] != "minimum" else "from "), (" to less than " if high[0] != "maximum" else " to ")
    return f"{above}{low[1]}{below}{high[1]}" + (f": {what}" if what else "")


def counted(n: int, what: str) -> str:
    plural = what.removesuffix("y") + "ies" if what.endswith("y") else what + "s"
    return f"{n} {what if n == 1 else plural}"


def kinds_in_words(kinds: list[str]) -> str:
    """Plugin kinds in the singular: `loss`, `teacher or student`."""
    return " or ".join("loss" if kind == "losses" else kind.removesuffix("s") for kind in kinds)


def with_article(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"
