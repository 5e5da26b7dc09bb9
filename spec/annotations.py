"""What the schema says to people and their editors: titles, what each plugin is, snippets. Nothing here changes what is valid.

`enumDescriptions` and `defaultSnippets` are read by VS Code and yaml-language-server; all others pass over them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

ONLY_FOR_PEOPLE = frozenset(
    {"title", "examples", "enumDescriptions", "defaultSnippets", "deprecated", "format", "readOnly", "writeOnly", "$comment"}
)
"""Words that no check reads. Their values are data, never schemas."""


def _snippet(label: str, description: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"label": label, "body": body, **({"description": description} if description else {})}


SNIPPETS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "TrainStep": (
        _snippet("tune", "learn from the rows' own targets", {"model": "$1", "data": "$2", "losses": {"hard": "cross_entropy"}}),
        _snippet(
            "distil",
            "learn from a teacher's distribution, and from the targets",
            {
                "model": "$1",
                "data": "$2",
                "validation": "$2.validation",
                "early_stopping": {"metric": "loss", "patience": 3},
                "losses": {
                    "hard": {"uses": "cross_entropy", "weight": 0.5},
                    "soft": {"uses": "forward_kl", "teacher": "$3", "weight": 0.5, "temperature": 2},
                },
            },
        ),
    ),
    "EvaluateStep": (
        _snippet(
            "compare",
            "several models on one test set, and a claim that must hold",
            {
                "data": "$1.test",
                "models": ["$2", "$3"],
                "metrics": ["exact_match"],
                "gates": {"better": {"model": "$2", "metric": "exact_match", "against": "$3"}},
            },
        ),
    ),
    "Gate": (
        _snippet("better", "the model must be better", {"model": "$1", "metric": "$2", "against": "$3"}),
        _snippet(
            "not worse", "the model may be worse by the margin", {"model": "$1", "metric": "$2", "against": "$3", "margin": "${4:0.01}"}
        ),
    ),
    "Budget": (_snippet("money and time", None, {"usd": "${1:20}", "wall": "${2:4h}"}),),
    "Matrix": (_snippet("vary", "the same spec for several values", {"vary": {"${1:models.small.layers}": ["$2", "$3"]}}),),
}
"""Whole steps to start from, by definition."""


def annotate(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` with titles in the words of the language, and with a description and a snippet for each plugin name."""
    definitions: Mapping[str, Any] = schema["$defs"]
    annotated = {name: _definition(name, definition, definitions) for name, definition in definitions.items()}
    return {**_titled(schema), "title": "distill.yaml", "$defs": annotated}


def _definition(name: str, definition: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    found = _titled(definition)
    if "." not in name:
        found["title"] = spoken(name)
    if name in SNIPPETS:
        found["defaultSnippets"] = list(SNIPPETS[name])
    choice = definition.get("x-distillc-uses")
    if choice and choice["branches"]:
        branches = {plugin: definitions[branch] for plugin, branch in sorted(choice["branches"].items())}
        described = {plugin: branch.get("description", "") for plugin, branch in branches.items()}
        *bare, mapping = found["anyOf"]
        uses = mapping["properties"]["uses"]
        snippets = [_plugin_snippet(plugin, branch) for plugin, branch in branches.items() if set(branch.get("required", ())) > {"uses"}]
        # Where `uses` is written already, what another plugin needs would only be noise.
        offer = [{"if": {"type": "object", "required": ["uses"]}, "else": {"defaultSnippets": snippets}}] if snippets else []
        mapping = {**mapping, "properties": {"uses": _described(uses, described)}, "allOf": [*mapping["allOf"], *offer]}
        found["anyOf"] = [*(_described(names, described) for names in bare), mapping]
    return found


def spoken(name: str) -> str:
    """The name of a class as words: `EarlyStopping` as `early stopping`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _titled(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` without the titles that pydantic makes of field names: a key needs no heading that repeats it."""
    found = dict(schema)
    if "properties" in found:
        found["properties"] = {key: _untitled(key, value) for key, value in found["properties"].items()}
    return found


def _untitled(key: str, value: Any) -> Any:
    made = key.title().replace("_", " ").strip()
    return {word: inner for word, inner in value.items() if word != "title" or inner != made} if isinstance(value, Mapping) else value


def _described(choice: Mapping[str, Any], described: Mapping[str, str]) -> dict[str, Any]:
    return {**choice, "enumDescriptions": [described[value] for value in choice["enum"]]}


def _plugin_snippet(plugin: str, branch: Mapping[str, Any]) -> dict[str, Any]:
    """The step with this plugin, and the keys that it must have to fill in: with the first example, where the key has one."""
    body: dict[str, Any] = {"uses": plugin}
    for key in branch["required"]:
        if key != "uses":
            schema = branch["properties"][key]
            example = next(iter(schema.get("examples", ())), None)
            gap = f"${{{len(body)}:{example}}}" if isinstance(example, str) else f"${len(body)}"
            body[key] = [gap] if schema.get("type") == "array" else gap
    return _snippet(f"uses: {plugin}", branch.get("description"), body)
