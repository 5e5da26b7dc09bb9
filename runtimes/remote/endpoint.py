"""A model that somebody else runs: where it is and what it is called there. `endpoint.json` in a model's folder.

What may change without changing an answer is not in it: the reference to the key, the price. Those come with the engine's config, from the
plan that runs and not from the one that made the folder.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Dialect = Literal["openai", "nebius", "generic"]
FILE = "endpoint.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`base_url` is what paths such as /chat/completions follow; `system` is said before each prompt."""

    base_url: str
    name: str
    dialect: Dialect = "generic"
    system: str | None = None

    def __str__(self) -> str:
        return f"`{self.name}` at {self.base_url}"

    def write(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def read_endpoint(folder: Path) -> Endpoint:
    return Endpoint(**json.loads((folder / FILE).read_text(encoding="utf-8")))
