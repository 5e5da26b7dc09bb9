"""What one running server has: its script, its clock, its book, its files, and what a request's body says."""

import json
from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from uuid import UUID

from starlette.requests import Request

from distillc.testing.server.clock import Clock
from distillc.testing.server.deployments import Adapter, Endpoint
from distillc.testing.server.files import Files
from distillc.testing.server.log import Log
from distillc.testing.server.refused import invalid
from distillc.testing.server.script import Dialect, Fault, Script

# The names of the public walk-through, for a catalogue where the script names none.
CATALOGUE = (
    "Qwen/Qwen3-235B-A22B",
    "Qwen/Qwen3-235B-A22B-Instruct-2507",
    "Qwen/Qwen3-30B-A3B-Instruct-2507",
    "Qwen/Qwen3-14B",
    "Qwen/Qwen3-4B",
    "Qwen/Qwen3-4B-fast",
    "deepseek-ai/DeepSeek-V4-Pro",
)

TUNED = ("ft:", "ftjob-")  # how the names of tuned models and of their checkpoints begin; what is deployed has its base's name in front


@dataclass(slots=True)
class State:
    dialect: Dialect
    script: Script
    clock: Clock = field(default_factory=Clock)
    log: Log = field(default_factory=Log)
    files: Files = field(default_factory=Files)
    deployed: dict[str, Adapter | Endpoint] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    hits: Counter[Fault] = field(default_factory=Counter)  # how often a fault of the script has struck

    def change(self, script: Script) -> None:
        """From now on another script, for which no request has been tried yet."""
        self.script = script
        self.hits.clear()
        self.log.tries.clear()

    def new_id(self, prefix: str) -> str:
        """The next id of a kind: the same ones in each run of the same script."""
        self.made[prefix] += 1
        return prefix + str(UUID(bytes=blake2b(f"{self.script.seed} {prefix} {self.made[prefix]}".encode(), digest_size=16).digest()))

    def models(self) -> list[str]:
        """What the catalogue shows."""
        now = self.clock.now()
        return [*(self.script.models or CATALOGUE), *(name for name, model in self.deployed.items() if model.serving(now))]

    def serves(self, model: object) -> bool:
        """Whether a model may be asked. Where the script names none, any but what is deployed and not there yet, or has to be deployed."""
        undeployed = self.dialect == "nebius" and str(model).startswith(TUNED)
        if self.script.models or model in self.deployed or undeployed:
            return model in self.models()
        return True

    def now(self) -> int:
        return int(self.clock.now())

    def body(self, raw: bytes) -> dict[str, object]:
        """The JSON object that a request brought."""
        try:
            body = json.loads(raw)
        except ValueError as error:
            raise invalid(self.dialect, f"JSON decode error: {error}", "", raw.decode(errors="replace")[:200]) from None
        if not isinstance(body, dict):
            raise invalid(self.dialect, "Input should be an object", "", body)
        return body

    def body_of(self, request: Request) -> dict[str, object]:
        return self.body(request.scope["body"])  # the gate has read it


def page(request: Request, entries: list[dict[str, object]], default: int) -> dict[str, object]:
    """A list as these APIs give it: `limit` of the entries that come after the one called `after`."""
    after, limit = request.query_params.get("after"), int(request.query_params.get("limit", str(default)))
    ids = [entry["id"] for entry in entries]
    start = ids.index(after) + 1 if after in ids else 0
    shown = entries[start : start + limit]
    ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {"first_id": None, "last_id": None}
    return {"object": "list", "data": shown, **ends, "has_more": start + limit < len(entries)}
