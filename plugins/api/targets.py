"""Targets take what is proven to where it is used: a folder, an endpoint, a registry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from distillc.plugins.api.artifacts import Decoding, Model, Task


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is delivered. `evaluation` is the dict of `report --format json`; `report` the HTML page; `lock` the text of the lock.

    `lineage` has an entry for each model the exports descend from: {"name", "family", "license", "uses", "path"}; `data` one
    for each source: {"name", "uses", "revisions", "rows"}. `prompts` are golden: {"row_id", "input", "prompt", "token_ids": {export: ids},
    "answers": {export: text}}. `task` and `decoding` say how the exports were prompted when they were evaluated.
    """

    name: str
    spec_text: str
    exports: Mapping[str, Model]
    evaluation: Mapping[str, Any]
    report: Path
    lock: str
    lineage: tuple[Mapping[str, Any], ...]
    data: tuple[Mapping[str, Any], ...]
    prompts: tuple[Mapping[str, Any], ...] = ()
    task: Task | None = None
    decoding: Decoding = field(default_factory=Decoding)


class Target(Protocol):
    """Made as `impl(config)`."""

    def deliver(self, delivery: Delivery, out: Path) -> Mapping[str, Any]:
        """Writes into `out` what is to be kept; returns plain facts for the log. The driver copies `out` to the config's `path`, if any."""
        ...
