"""Writes `docs/language.md`, the reference of sections and keys, out of the JSON Schema and the manifests of the built-in plugins.

`make generate` runs it; a test holds the page and the language together. Texts are the descriptions of the models in `spec/model.py`
and of the plugins' configs: what is unclear on the page is made clear there.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from distillc.compiler.rules.unsupported import PARTS, TRAIN_KEYS
from distillc.compiler.rules.unsupported import SECTIONS as UNSUPPORTED
from distillc.plugins.registry import Registry, load
from distillc.spec import model

PAGE = Path(__file__).with_name("language.md")
NOT_YET = "*Checked, but not run by this version (D151).*"
NOT_YET_KEYS: Mapping[str, tuple[str, ...]] = {"TrainStep": TRAIN_KEYS, **{section.capitalize(): (key,) for section, key, _ in PARTS}}
REFERENCES = {
    "rows": "name of rows",
    "model": "name of a model",
    "gate": "name of a gate",
    "metric": "name of a metric's value",
    "file": "path",
    "secret": "reference to a secret",
}
HEAD = """\
<!-- made by `make generate` out of the JSON Schema; edits here are lost -->
# The language

Every section and key of `distill.yaml`, with the built-in plugins. `distillc schema` prints the same for a program, with the plugins
that you have installed; `distillc explain CODE` explains a finding. The [tutorial](tutorial.md) is the gentle way in.

A section is a map from a name to a step, and order means nothing. Names begin with a letter or `_` and are unique in the file. A step that
refers to rows, a model or a gate does so by name; `NAME.train`, `NAME.validation` and `NAME.test` are the splits of rows. A bare name
means the training split in `train`, the test split in `evaluate`, and all rows elsewhere. The name of a step of `train`, `quantize` or
`choose` is the name of a model. `uses:` names a plugin, and a bare string stands for `{uses: string}`. A key without a default must be
there, unless it says optional. Unknown keys are errors.

`extends` names specs to start from, by paths from this one's folder. The steps of a section are joined by name: a step here takes the
place of the whole step of that name, and so does a profile, and all that is no section (`task`, `decoding`). One value of a step that is
extended is set by a profile or `--set`.

A profile, under `profiles`, is a map from paths (`train.student.epochs`) to values; `--profile NAME` applies it. `--set PATH=VALUE` does
the same for one value, and so does `distillc set` in the file.

`${section.name.field}` takes the value that stands at a path, with its type where it is all of a value (lists and maps too), as it was
written inside a text: `path: "dist/${models.small.layers}/"`. Between braces or brackets it needs quotes, for YAML's sake. It is filled in
after `extends`, profiles and `--set`, in each cell of a matrix; `$${` is `${` itself. `${env:NAME}` and `${file:PATH}` are secrets: they
stand in fields typed secret alone, and nothing refers to them.

A matrix is the same spec for several values. Each combination of the values under `vary` is a cell, and a cell is the spec with its values
set, as `--set` would set them; a profile and `--set` win over it. `exclude` takes out the combinations that have all values of an entry.
`include`, read last and from top to bottom, adds the values of an entry to every combination that it contradicts in no varied path, and is
a cell of its own where there is none, as on GitHub. Steps that an axis touches, and all that hang on them, are one step a cell, called
`student[layers=8]` by the last part of the path (by more where two end alike) and the value, or its number (`#2`) where it is no short
word. A step that is the same in several cells exists once. `--until`, `why` and `report --evaluation` take a name with its cell, with
some of its values, or with none for all cells. Cells that would write to one path are an error (D651): put what varies into the path. At
most 1,000 cells.

    matrix:
      vary: {models.small.layers: [8, 12], train.student.epochs: [2, 4]}
      exclude: [{models.small.layers: 8, train.student.epochs: 4}]
      include: [{models.small.layers: 16, train.student.learning_rate: 1.0e-4}]
"""


def page(registry: Registry) -> str:
    """The page. Definitions stand in the section that refers to them first."""
    schema = registry.language_schema()
    definitions: Mapping[str, Any] = schema["$defs"]
    names = [field.alias or name for name, field in model.Spec.model_fields.items()]
    lines = [HEAD, *_table({name: schema["properties"][name] for name in names}, schema["required"], UNSUPPORTED)]
    told: set[str] = set()
    for section in names:
        waiting = [name for name in _references(schema["properties"][section]) if name not in told]
        if waiting:
            lines += ["", f"## {section}"]
        while waiting:
            name = waiting.pop(0)
            if name in told:
                continue
            told.add(name)
            not_yet = f" {NOT_YET}" if name.endswith("Task") and name != "GenerateTask" else ""
            lines += ["", f"### {name}", "", definitions[name].get("description", "") + not_yet]
            lines += _definition(name, definitions, registry)
            branches = definitions[name].get("x-distillc-uses", {}).get("branches", {})
            for one in (name, *branches.values()):
                waiting += [found for found in _references(definitions[one].get("properties", {})) if found not in told]
    return "\n".join(lines).rstrip() + "\n"


def _definition(name: str, definitions: Mapping[str, Any], registry: Registry) -> Iterator[str]:
    """The keys of a part; of a step with `uses`, the section's own, then each plugin's."""
    found = definitions[name]
    if "x-distillc-uses" not in found:
        yield ""
        yield from _table(found["properties"], found.get("required", ()), NOT_YET_KEYS.get(name, ()))
        return
    own = {field.alias or key for key, field in getattr(model, name).model_fields.items()}
    keys: dict[str, Any] = {"uses": {"description": "the plugin", "type": "string"}}
    required = {"uses"}
    for branch in found["x-distillc-uses"]["branches"].values():
        keys |= {key: value for key, value in definitions[branch]["properties"].items() if key in own - {"uses"}}
        required |= set(definitions[branch]["required"])
    yield ""
    yield from _table(keys, required)
    for plugin, branch in sorted(found["x-distillc-uses"]["branches"].items()):
        kind = next(kind for kind in found["x-distillc-uses"]["kinds"] if plugin in registry.names(kind))
        rest = {key: value for key, value in definitions[branch]["properties"].items() if key not in own}
        yield from ("", f"**`{plugin}`** ({kind}): {registry.manifest(kind, plugin).summary}")
        if rest:
            yield ""
            yield from _table(rest, definitions[branch]["required"])


def _table(keys: Mapping[str, Any], required: Any, not_yet: Any = ()) -> Iterator[str]:
    yield "| key | value | default | |"
    yield "|---|---|---|---|"
    for key in sorted(keys, key=lambda key: key not in required):  # those that must be there first
        value = keys[key]
        text = value.get("description", "")
        cells = [f"`{key}`", _type(value), _default(key, value, required), f"{text}. {NOT_YET}" if key in not_yet else text]
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(key: str, value: Mapping[str, Any], required: Any) -> str:
    if key in required:
        return ""
    default = value.get("default")
    return "optional" if default is None or default in ("", [], {}) else f"`{json.dumps(default, ensure_ascii=False)}`"


def _type(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name.rpartition('.')[2]}](#{name.lower().replace('.', '')})"
    for word in ("anyOf", "oneOf"):
        if word in value:
            return " or ".join(dict.fromkeys(_type(option) for option in value[word] if option.get("type") != "null"))
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"] if one is not None)
    if value.get("x-distillc") in REFERENCES:
        return REFERENCES[value["x-distillc"]]
    kind = value.get("type")
    kind = kind[0] if isinstance(kind, list) else kind  # the second is null
    if kind == "array":
        return f"list of {_type(value['items'])}" if value.get("items") else "list"
    if kind == "object":
        inner = value.get("additionalProperties")
        return f"map to {_type(inner)}" if isinstance(inner, Mapping) else "map"
    return {"integer": "whole number", "number": "number", "boolean": "`true`, `false`", "string": "text"}.get(kind or "", "") + _bounds(
        value
    )


def _bounds(value: Mapping[str, Any]) -> str:
    signs = (("exclusiveMinimum", ">"), ("minimum", "≥"), ("exclusiveMaximum", "<"), ("maximum", "≤"), ("multipleOf", "multiple of"))
    parts = [f"{sign} {value[word]}" for word, sign in signs if word in value]
    return f" {', '.join(parts)}" if parts else ""


def _references(schema: Any) -> Iterator[str]:
    """The definitions that a schema names, in its order."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for word, value in schema.items():
            if word != "discriminator":
                yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


if __name__ == "__main__":
    os.environ["DISTILLC_PLUGINS"] = ""  # the page must not depend on what else is installed
    PAGE.write_text(page(load()), encoding="utf-8")
    print(PAGE)
