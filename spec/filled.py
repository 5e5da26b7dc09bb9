"""The value of a node with what the schema says where it says nothing: what pydantic would make of it, without pydantic."""

from collections.abc import Mapping
from typing import Any

from distillc.spec.check import Walker, resolve_ref
from distillc.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode, at, text, uses

Schema = Mapping[str, Any]


def filled(node: Node, schema: Schema, walker: Walker) -> Any:
    """Plain data with every default of `schema` written out, a bare plugin's name as `{uses: name}`.

    Args:
        node: was checked against the schema; what does not fit it comes out as it stands.
        walker: over the language that the schema belongs to.
    """
    schema = resolve_ref(schema, walker.root)
    if choice := schema.get("x-distillc-uses"):
        name = uses(node)
        branch = walker.root["$defs"].get(choice["branches"].get(name), {})
        return {"uses": name, **(_mapping(node, branch, walker) if isinstance(node, MappingNode) else defaults(branch))}
    if "discriminator" in schema:
        kinds: Mapping[str, str] = schema["discriminator"]["mapping"]
        chosen = kinds.get(text(at(node, schema["discriminator"]["propertyName"])) or "")
        return filled(node, {"$ref": chosen} if chosen else {}, walker)
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return filled(node, next((option for option in options if walker.fits(node, option)), {}), walker)
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [filled(item, schema.get("items", {}), walker) for item in node.items]
    return _mapping(node, schema, walker)


def defaults(schema: Schema) -> dict[str, Any]:
    """The keys of an object that have a default."""
    return {key: inner["default"] for key, inner in schema.get("properties", {}).items() if "default" in inner}


def _mapping(node: MappingNode, schema: Schema, walker: Walker) -> dict[str, Any]:
    properties: Schema = schema.get("properties", {})
    rest = schema.get("additionalProperties")
    rest = rest if isinstance(rest, Mapping) else {}
    return defaults(schema) | {entry.key: filled(entry.value, properties.get(entry.key, rest), walker) for entry in node}
