"""The JSON Schema (2020-12) of the whole language: the models of `model.py` joined with the configs of the installed plugins.

A step that names a plugin becomes one definition with a branch for each plugin, and the branch holds all keys that may stand there,
the section's and the plugin's. Ordinary validators read it as `anyOf` (a bare name, or an object whose `uses` picks a branch by
`if`/`then`); our own walker reads `x-distillc-uses` and goes to the branch at once:

    "SourceStep": {"x-distillc-uses": {"kinds": ["sources"], "branches": {"csv": "SourceStep.csv"}}, "anyOf": […]},
    "SourceStep.csv": {"type": "object", "properties": {…}, "additionalProperties": false}

A plugin whose config cannot be used (it declares a key that the section owns, it needs a constraint that the walker cannot enforce)
gets a branch that accepts nothing and says why under `x-distillc-broken`: it harms only the specs that use it.

`python -m distillc.spec.schema` writes `distill.schema.json`, with the built-in plugins alone.
"""

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from distillc.spec.annotations import ONLY_FOR_PEOPLE, annotate
from distillc.spec.errors import DistillError
from distillc.spec.model import LANGUAGE_VERSION, Spec
from distillc.spec.table import PluginTable
from distillc.spec.values import NAME_FORM, NAME_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = f"urn:distillc:schema:{LANGUAGE_VERSION}"
"""A name and no address: what it names depends on the installed plugins, so no two copies may be taken for one another's cache."""
SCHEMA_FILE = Path(__file__).with_name("distill.schema.json")
PREFIX = "#/$defs/"

# What the section may say of any of its steps one day; no plugin takes these words for itself (design, section 3).
RESERVED: Mapping[str, frozenset[str]] = {
    "SourceStep": frozenset({"split", "skip"}),
    "GeneratorStep": frozenset({"from", "steps", "skip", "weight", "schedule", "needs"}),
    "CuratorStep": frozenset({"from", "steps", "skip", "weight", "schedule", "needs"}),
    "LossStep": frozenset({"schedule", "weight", "teacher", "data", "model"}),
    "TrainerStep": frozenset(
        {
            "model",
            "data",
            "validation",
            "losses",
            "epochs",
            "steps",
            "batch",
            "learning_rate",
            "lora",
            "on_policy",
            "early_stopping",
            "schedule",
        }
    ),
    "DeployStep": frozenset({"needs", "from"}),
}
# Keywords that `check.py` enforces, and those that only describe.
ENFORCED = frozenset(
    {"$ref", "type", "enum", "const", "anyOf", "oneOf", "discriminator"}
    | {"properties", "additionalProperties", "propertyNames", "required", "minProperties", "maxProperties"}
    | {"items", "minItems", "maxItems", "uniqueItems", "minLength", "maxLength", "pattern"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
)
DESCRIPTIVE = ONLY_FOR_PEOPLE | {"$defs", "description", "default"}
DATA = ONLY_FOR_PEOPLE | {"default", "const", "enum"}
"""Words whose values are no schemas: nothing in them is rewritten."""
KEY = {"pattern": NAME_PATTERN, "title": "name", "description": NAME_FORM}


class ConfigRefused(ValueError):
    """A plugin's config that the language cannot take in."""


def compose(table: PluginTable) -> dict[str, Any]:
    """The schema with the plugins of `table`. A plugin that cannot be used is marked, never raised."""
    schema = Spec.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = schema.pop("$defs")
    steps = {name: definitions.pop(name) for name in list(definitions) if "x-distillc-uses" in definitions[name]}
    for name, step in steps.items():
        definitions |= _step(name, step, table)
    return annotate(
        {
            "$schema": DIALECT,
            "$id": ID,
            **_plain(schema),
            "$defs": {name: _plain(definitions[name]) for name in sorted(definitions)},
        }
    )


def _step(name: str, step: Mapping[str, Any], table: PluginTable) -> dict[str, Any]:
    """The definitions of a step: the choice under its own name, then a branch for each plugin, then what branches refer to."""
    found: dict[str, Any] = {}
    branches: dict[str, str] = {}
    for kind in step["x-distillc-uses"]:
        for plugin in table.names(kind):
            key = f"{name}.{plugin}"
            try:
                if plugin in branches:
                    raise ConfigRefused(f"both kinds {' and '.join(step['x-distillc-uses'])} have a plugin called `{plugin}`")
                found |= _branch(key, name, _owned(step, kind), kind, plugin, table.config_schema(kind, plugin))
            except (ConfigRefused, DistillError) as error:
                found[key] = {"not": {}, "x-distillc-broken": str(error)}
            branches[plugin] = key
    bare = sorted(plugin for plugin, key in branches.items() if set(found[key].get("required", ["not bare"])) <= {"uses"})
    choice = {
        "type": "object",
        "required": ["uses"],
        "properties": {"uses": {"type": "string", "enum": sorted(branches), "description": step["properties"]["uses"]["description"]}},
        "allOf": [
            {"if": {"type": "object", "properties": {"uses": {"const": plugin}}, "required": ["uses"]}, "then": {"$ref": PREFIX + key}}
            for plugin, key in sorted(branches.items())
        ],
    }
    options = [*([{"type": "string", "enum": bare}] if bare else []), choice] if branches else [{"not": {}}]  # no plugin: nothing fits
    found[name] = {
        "description": step["description"],
        "anyOf": options,
        "x-distillc-uses": {"kinds": step["x-distillc-uses"], "branches": branches},
    }
    return found


def _owned(step: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The section's own part of a step. Of the models, students have `from`, and must; teachers have none."""
    properties = dict(step["properties"])
    required = list(step["required"])
    if kind == "teachers":
        properties.pop("from")
    if kind == "students":
        properties["from"] = {**properties["from"]["anyOf"][0], "description": properties["from"]["description"]}
        required.append("from")
    return {"properties": properties, "required": required}


def _branch(key: str, step: str, owned: Mapping[str, Any], kind: str, plugin: str, config: Mapping[str, Any]) -> dict[str, Any]:
    fields: Mapping[str, Any] = config.get("properties", {})
    taken = sorted(set(fields) & (set(owned["properties"]) | RESERVED.get(step, frozenset())))
    if taken:
        words = ", ".join(f"`{word}`" for word in taken)
        raise ConfigRefused(f"its config declares {words}, which the section owns")
    if config.get("type") != "object":
        raise ConfigRefused("its config is not an object")
    if step == "GeneratorStep" and not any("model" in _markers(field) for field in fields.values()):
        owned = {**owned, "properties": {k: v for k, v in owned["properties"].items() if k != "decoding"}}  # nothing there decodes
    own = {name: schema for name, schema in config.get("$defs", {}).items() if "x-distillc-uses" not in schema}
    rename = _renamer(key, own)
    found = {f"{key}.{name}": _rewrite(schema, rename) for name, schema in own.items()}
    uses = {"type": "string", "const": plugin, "description": config.get("description", "the plugin")}
    properties = {**owned["properties"], "uses": uses, **{name: _rewrite(field, rename) for name, field in fields.items()}}
    found[key] = {
        "type": "object",
        "title": f"{plugin} ({kind})",
        "properties": properties,
        "required": [*owned["required"], *config.get("required", [])],
        "additionalProperties": False,
    }
    if config.get("description"):
        found[key]["description"] = config["description"]
    return found


def _renamer(key: str, own: Collection[str]) -> Callable[[str], str]:
    """Of a config's definitions. One of the language's steps, as `JudgeStep`, stays what it is: a field takes another plugin."""
    return lambda ref: f"{PREFIX}{key}.{ref.removeprefix(PREFIX)}" if ref.removeprefix(PREFIX) in own else ref


def _markers(schema: Mapping[str, Any]) -> list[str]:
    """The `x-distillc` markers of a field, of its alternatives and of its items."""
    parts = [schema, *schema.get("anyOf", ()), schema.get("items", {})]
    return [part["x-distillc"] for part in parts if isinstance(part, Mapping) and "x-distillc" in part]


def _rewrite(schema: Any, rename: Callable[[str], str]) -> Any:
    """A plugin's schema with its references moved. Raises ConfigRefused for a keyword that the linter would silently ignore."""
    if not isinstance(schema, Mapping):
        return schema
    schema = _plain(schema)
    unknown = [word for word in schema if word not in ENFORCED and word not in DESCRIPTIVE and not word.startswith("x-")]
    if unknown:
        raise ConfigRefused(f"its config needs `{unknown[0]}`, which the language cannot check; use ge, le, pattern, enums, lists, maps")
    found: dict[str, Any] = {}
    for word, value in schema.items():
        if word == "$ref":
            found[word] = rename(value)
        elif word == "properties":
            found[word] = {name: _rewrite(field, rename) for name, field in value.items()}
        elif word in ("anyOf", "oneOf"):
            found[word] = [_rewrite(option, rename) for option in value]
        elif word in ("items", "additionalProperties", "propertyNames"):
            found[word] = _rewrite(value, rename)
        elif word == "discriminator":
            found[word] = {**value, "mapping": {name: rename(ref) for name, ref in value["mapping"].items()}}
        else:
            found[word] = value
    return found


def _plain(schema: Any) -> Any:
    """The schema said plainly.

    Maps with constrained keys: pydantic writes `patternProperties`, which lets keys that do not match through. `X | None`: one list
    of types, for editors insert nothing where they meet an `anyOf`; and no default that is nothing, for they would insert it.
    """
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    found: dict[str, Any] = {}
    for word, value in schema.items():
        if word in ("properties", "$defs"):
            found[word] = {name: _plain(inner) for name, inner in value.items()}
        else:
            found[word] = value if word in DATA else _plain(value)
    patterns = found.get("patternProperties")
    if isinstance(patterns, dict) and len(patterns) == 1 and found.get("type") == "object":
        del found["patternProperties"]
        ((pattern, value),) = patterns.items()
        found |= {"propertyNames": KEY if pattern == NAME_PATTERN else {"pattern": pattern}, "additionalProperties": value}
    if "default" in found and found["default"] is None:
        del found["default"]
    if "discriminator" in found:
        found["type"] = "object"  # all that a discriminator can stand in
    match found.get("anyOf"):
        case [{"type": str(kind)} as option, {"type": "null"}] if "const" not in option:
            del found["anyOf"]
            found = {**option, **found, "type": [kind, "null"]}
            if "enum" in found:
                found["enum"] = [*found["enum"], None]
    return found


def dump(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    import os
    from importlib import import_module

    os.environ["DISTILLC_PLUGINS"] = ""  # the file in the repository must not depend on what else is installed
    registry = import_module("distillc.plugins.registry")  # by name: the language does not know the registry
    SCHEMA_FILE.write_text(dump(registry.load().language_schema()), encoding="utf-8")
    print(SCHEMA_FILE)


if __name__ == "__main__":
    main()
