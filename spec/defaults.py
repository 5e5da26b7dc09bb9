"""What holds where a spec says nothing: the defaults that the schemas of the language and of the plugins write down, for rules."""

from typing import Any

from distillc.spec.rules import Context


def of_language(context: Context, part: str, key: str) -> Any:
    """The default of a key of a part of the language, as its definition in the schema is called (`Decoding`); None where it has none."""
    return context.table.language_schema()["$defs"].get(part, {}).get("properties", {}).get(key, {}).get("default")


def of_plugin(context: Context, kind: str, plugin: str | None, key: str) -> Any:
    """The default of a field of a plugin's config; None where it has none, or where no such plugin is installed."""
    if plugin is None or plugin not in context.table.names(kind):
        return None
    return context.table.config_schema(kind, plugin).get("properties", {}).get(key, {}).get("default")
