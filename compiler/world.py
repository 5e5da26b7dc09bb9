"""Facts of models from the world: headers of files, and what config classes say of what they make. What `plan` and `lint --world` ask.

No weight is read and no implementation imported.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from distillc.compiler.facts.locate import NotLocated, locate
from distillc.compiler.facts.model import read_facts, read_tokenizer
from distillc.compiler.outline.models import Origin
from distillc.compiler.pinned import FIELDS, fields_digest
from distillc.compiler.plugins import Plugins
from distillc.spec.errors import DistillError, UsageError
from distillc.spec.marks import marked_fields


class World:
    """Called with a model's origin (`outline/models.py:Learn`).

    `pinned`: what was found of each model that is made of no other, for the lock. `unreadable`: the places of damaged files.
    """

    def __init__(self, plugins: Plugins, folder: Path) -> None:
        self.plugins = plugins
        self.folder = folder
        self.pinned: dict[str, dict[str, Any]] = {}
        self.unreadable: list[tuple[tuple[str, ...], UsageError]] = []

    def __call__(self, origin: Origin) -> Mapping[str, Any]:
        inputs = {"model": dict(origin.parent.facts)} if origin.parent else {}
        found = {**self._file(origin), **self._config(origin, inputs)}
        if origin.parent is None:
            self.pinned[origin.where[1]] = {**found, FIELDS: fields_digest(origin.uses, origin.fields)}
        return found

    def _file(self, origin: Origin) -> Mapping[str, Any]:
        """What the first readable file or folder in a model's fields says; of one elsewhere, what its tokenizer does."""
        read = read_tokenizer if origin.elsewhere else read_facts
        for field, path in _files(self.plugins.config_schema(origin.kind, origin.uses), origin.fields):
            if origin.elsewhere and field != self.plugins.capabilities(origin.kind, origin.uses).get("tokenizer"):
                continue
            try:
                return asdict(read(locate(path, self.folder)))
            except NotLocated:
                continue  # lowering says so, for every kind of step
            except UsageError as error:
                self.unreadable.append(((*origin.where, field), error))
        return {}

    def _config(self, origin: Origin, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the pure function `facts(inputs)` of a config class says of its result; empty where it has none, or refuses its fields."""
        try:
            config = self.plugins.config_class(origin.kind, origin.uses).model_validate(dict(origin.fields))
        except (DistillError, ValueError):
            return {}
        facts = getattr(config, "facts", None)
        found: Any = facts(inputs) if callable(facts) else {}
        return found if isinstance(found, Mapping) else {}


def _files(schema: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for marked in marked_fields(schema):
        path = fields.get(marked.field)
        if marked.mark == "file" and isinstance(path, str):
            yield marked.field, path
