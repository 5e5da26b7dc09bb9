"""Writes the schema that SchemaStore may serve: draft-07, the built-in plugins explained, and open to all others.

`make generate` runs it. SchemaStore prefers draft-07, which most editors read best; and what it serves cannot know which plugins a
reader has installed, so a name that is no built-in's is accepted, with any keys beside it. `distillc schema` prints the exact one.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distillc.spec.schema import SCHEMA_FILE

FOLDER = Path(__file__).parent
SCHEMA = FOLDER / "src" / "schemas" / "json" / "distill.json"
ID = "https://www.schemastore.org/distill.json"
DIALECT = "http://json-schema.org/draft-07/schema#"
DROPPED = frozenset({"discriminator"})
"""Words that ajv's strict mode does not know, beside those that begin with `x-distillc`."""


def portable(language: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of the language for readers of draft-07 who may have any plugin."""
    definitions = {name: _definition(definition) for name, definition in language["$defs"].items()}
    head = {"$schema": DIALECT, "$id": ID}
    rest = {word: value for word, value in language.items() if word not in ("$schema", "$id", "$defs")}
    found: dict[str, Any] = _rewrite({**head, **rest})
    return {**found, "definitions": {name: _rewrite(definition) for name, definition in definitions.items()}}


def _definition(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """A choice of plugins lets names through that are nobody's here: the branches of those that are known still hold."""
    choice = definition.get("x-distillc-uses")
    if choice is None:
        return definition
    if not choice["branches"]:
        return {**definition, "anyOf": [{"type": "string"}, {"type": "object", "required": ["uses"], "properties": {"uses": _ANY}}]}
    *bare, mapping = definition["anyOf"]
    enough = {name for names in bare for name in names["enum"]}
    needy = sorted(set(choice["branches"]) - enough)  # they must have keys beside them
    others = {"type": "string", "not": {"enum": needy}} if needy else {"type": "string"}
    uses = mapping["properties"]["uses"]
    open_uses = {"description": uses["description"], "anyOf": [_without(uses, "description"), _ANY]}
    return {**definition, "anyOf": [*bare, others, {**mapping, "properties": {"uses": open_uses}}]}


_ANY: Mapping[str, Any] = {"type": "string", "description": "a plugin of another distribution"}


def _without(schema: Mapping[str, Any], word: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != word}


def _rewrite(schema: Any) -> Any:
    """`$defs` under its old name, a `$ref` alone in its mapping (draft-07 passes over what stands beside it), no words of our own."""
    if isinstance(schema, list):
        return [_rewrite(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    found: dict[str, Any] = {}
    for word, value in schema.items():
        if word in DROPPED or word.startswith("x-distillc"):
            continue
        if word == "$ref":
            target = {"$ref": value.replace("#/$defs/", "#/definitions/")}
            found |= target if len(schema) == 1 else {"allOf": [target]}
        elif word == "properties":
            found[word] = {key: _rewrite(inner) for key, inner in value.items()}
        else:
            found[word] = _rewrite(value)
    return found


def dump(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(dump(portable(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))), encoding="utf-8")
    print(SCHEMA)
