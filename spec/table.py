"""How the language sees plugins: names and schemas, never code. `plugins/registry.py` implements it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class PluginTable(Protocol):
    def names(self, kind: str) -> Sequence[str]:
        """The installed plugins of a kind (`losses`, `sources` …), sorted."""
        ...

    def config_schema(self, kind: str, name: str) -> Mapping[str, Any]:
        """The JSON Schema of one plugin's config (an object schema, `additionalProperties: false`)."""
        ...

    def capabilities(self, kind: str, name: str) -> Mapping[str, Any]:
        """What the manifest of a plugin declares of it; nothing of one that is not installed or broken."""
        ...

    def language_schema(self) -> Mapping[str, Any]:
        """The JSON Schema of the whole language with the installed plugins (`spec/schema.py` composes it)."""
        ...
