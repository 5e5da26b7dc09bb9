"""Specs made at random out of the schema of the language: right ones, and the same with something done to them."""

import copy
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]
NAMES = ("a", "b_2", "Student", "_x", "q8-0")
SECTIONS_AT_ONCE = 6
# Texts for patterns; a pattern that is not here would need a generator of its own.
TEXTS = {
    r"^[A-Za-z_][A-Za-z0-9_-]*$": NAMES,
    r"^([0-9]+(\.[0-9]+)?(d|h|m|s))+$": ("4h", "1h30m", "0.5d"),
    r"^[0-9]+(\.[0-9]+)?\s?(B|kB|KB|MB|GB|KiB|MiB|GiB)$": ("60MB", "1.5 GiB", "0B"),
    r"^D[0-9]{3}$": ("D301", "D999"),
    r"^[^/\\\x00-\x1f~][^\\\x00-\x1f]*$": ("dist", "out/edge"),
    r"\.(gguf|GGUF)$": ("a.gguf", "pkg://a/B.GGUF"),
    r"\.(jsonl|parquet)$": ("a.jsonl", "../b.parquet"),
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$": ("2026-11-01", "2025-02-28"),
    r"^https?://[^\s]+$": ("https://api.example.com/v1", "http://127.0.0.1:8000"),
    r"^\$\{(env|file|cmd|keyring):.+\}$": ("${env:KEY}", "${file:secrets/key}"),
}


class Maker:
    """Values that a schema accepts. `chance` decides; the same chance makes the same value."""

    def __init__(self, schema: Mapping[str, Any], chance: random.Random) -> None:
        self.root = schema
        self.chance = chance

    def spec(self) -> dict[str, Any]:
        sections = [name for name in self.root["properties"] if name not in self.root["required"]]
        chosen = {*self.root["required"], *self.chance.sample(sections, self.chance.randint(0, SECTIONS_AT_ONCE))}
        return {name: self.value(self.root["properties"][name]) for name in self.root["properties"] if name in chosen}

    def value(self, schema: Mapping[str, Any]) -> Any:
        while "$ref" in schema:
            schema = self.root["$defs"][schema["$ref"].rpartition("/")[2]]
        if choice := schema.get("x-distillc-uses"):
            return self.step(choice["branches"])
        if options := schema.get("anyOf") or schema.get("oneOf"):
            return self.value(self.chance.choice([option for option in options if option != {"not": {}}]))
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.chance.choice(schema["enum"])
        types = schema.get("type", "object")
        kind = self.chance.choice(types) if isinstance(types, list) else types
        make: Callable[[Mapping[str, Any]], Any] = getattr(self, f"make_{kind}")
        return make(schema)

    def step(self, branches: Mapping[str, str]) -> Any:
        if not branches:
            return "nothing-is-installed"  # no value is right here
        plugin = self.chance.choice(sorted(branches))
        branch = self.root["$defs"][branches[plugin]]
        if set(branch["required"]) == {"uses"} and self.chance.random() < 0.4:
            return plugin
        return self.make_object(branch)

    def make_object(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        properties: Mapping[str, Any] = schema.get("properties", {})
        required = set(schema.get("required", ()))
        found = {key: self.value(inner) for key, inner in properties.items() if key in required or self.chance.random() < 0.3}
        rest = schema.get("additionalProperties", True)
        if isinstance(rest, Mapping):
            names = self.chance.sample(NAMES, self.chance.randint(schema.get("minProperties", 0), 2))
            found |= {name: self.value(rest) for name in names}
        elif rest is True:
            found |= {"models.a.layers": 2} if schema.get("minProperties") or self.chance.random() < 0.5 else {}
        return found

    def make_array(self, schema: Mapping[str, Any]) -> list[Any]:
        least = schema.get("minItems", 0)
        return [self.value(schema.get("items", {"type": "integer"})) for _ in range(self.chance.randint(least, least + 2))]

    def make_string(self, schema: Mapping[str, Any]) -> str:
        if "pattern" in schema:
            return self.chance.choice(TEXTS[schema["pattern"]])
        texts = [text for text in ("a", "{{ text }}\n", "rows.test", "é文", "") if len(text) >= schema.get("minLength", 0)]
        return self.chance.choice(texts)[: schema.get("maxLength")]

    def make_integer(self, schema: Mapping[str, Any]) -> int:
        step = schema.get("multipleOf", 1)
        least = -(-schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1) // step)
        most = schema.get("maximum", (least + 9) * step) // step
        return self.chance.choice((least, most, self.chance.randint(least, most))) * step

    def make_number(self, schema: Mapping[str, Any]) -> float:
        least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        most = schema.get("maximum", schema.get("exclusiveMaximum", least + 1))
        edges = [schema[word] for word in ("minimum", "maximum") if word in schema]
        return self.chance.choice([*edges, least + (most - least) / 3, least + (most - least) / 2])

    def make_boolean(self, schema: Mapping[str, Any]) -> bool:
        return self.chance.random() < 0.5

    def make_null(self, schema: Mapping[str, Any]) -> None:
        return None


STRANGE: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2.5, -0.5, 1e-9, 10**30, 10**309, 1e300, "", "a\n", "x",
    "3", "true", "a.b", " a", "4 h", [], [1], ["a"], {}, {"uses": "dedup"},
    {"uses": "prune"}, {"uses": None}, {"a": 1}, "identity", "prune",
)  # fmt: skip


def changed(spec: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
    """`spec` with one thing done to it somewhere: most of what comes out is wrong, some is not."""
    found = copy.deepcopy(dict(spec))
    path = chance.choice([path for path in places(found) if path])
    holder: Any = found
    for part in path[:-1]:
        holder = holder[part]
    last, old = path[-1], holder[path[-1]]
    kinds = ["another value", "drop", "twice"] + (["rename", "misspell", "one more key"] if isinstance(holder, dict) else [])
    match chance.choice(kinds):
        case "another value":
            holder[last] = chance.choice(STRANGE)
        case "drop":
            del holder[last]
        case "twice":
            holder[last] = old * 2 if isinstance(old, str | int | float | list) and not isinstance(old, bool) else [old, old]
        case "rename":
            holder[chance.choice(("uses", "from", "steps", "model", "losses", "é", "9a", "a b", "a\n"))] = holder.pop(last)
        case "misspell" if isinstance(old, str) and len(old) > 1:
            holder[last] = old[1] + old[0] + old[2:]
        case "misspell":
            holder[f"{last}s"] = holder.pop(last)
        case "one more key":
            holder[chance.choice(("usse", "decoding", "from", "weight", "teacher", "b", "split"))] = chance.choice(STRANGE)
    return found


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield from places(child, (*path, key))
