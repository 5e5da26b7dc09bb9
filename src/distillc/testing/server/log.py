"""What the server was asked, and what it answered: the book that a client's own is held against."""

import json
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

KEPT = 200_000  # calls; older ones are only counted


@dataclass(slots=True)
class Call:
    """One request. `keys` are the keys of its JSON body in their order, `parameters` all of the body but what is prompt."""

    number: int
    method: str
    path: str
    query: str
    authorized: bool
    headers: dict[str, str]
    raw: bytes
    fault: str = ""
    status: int = 0  # 0: no answer was begun

    def told(self) -> dict[str, object]:
        body = _object(self.raw)
        parameters = {name: value for name, value in body.items() if name not in ("messages", "prompt", "input")}
        fields = ("number", "method", "path", "query", "authorized", "headers", "fault", "status")
        return {name: getattr(self, name) for name in fields} | {
            "keys": list(body),
            "parameters": parameters,
            "messages": body.get("messages", []),
        }


@dataclass(slots=True)
class Totals:
    """What one model was asked for and what that would be paid for."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    trained_tokens: int = 0


@dataclass(slots=True)
class Log:
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=KEPT))
    asked: int = 0
    running: int = 0
    peak: int = 0  # most requests at one time
    tries: Counter[int] = field(default_factory=Counter)  # by fingerprint
    totals: dict[str, Totals] = field(default_factory=dict)

    def begin(self, call: Call) -> None:
        self.calls.append(call)
        self.asked += 1
        self.running += 1
        self.peak = max(self.peak, self.running)

    def spend(self, model: str, prompt_tokens: int = 0, completion_tokens: int = 0, trained_tokens: int = 0) -> None:
        total = self.totals.setdefault(model, Totals())
        total.calls += 1
        total.prompt_tokens += prompt_tokens
        total.completion_tokens += completion_tokens
        total.trained_tokens += trained_tokens

    def spend_on(self, reply: Mapping[str, Any]) -> None:
        usage = reply["usage"]
        self.spend(reply["model"], usage["prompt_tokens"], usage["completion_tokens"])

    def told(self, path: str = "", last: int = 0) -> list[dict[str, object]]:
        """The calls, oldest first: of one path if it is given, and of these the last."""
        return [call.told() for call in self.calls if not path or call.path == path][-last:]

    def summary(self) -> dict[str, object]:
        return {
            "asked": self.asked,
            "peak": self.peak,
            "most_tries": max(self.tries.values(), default=0),
            "totals": {model: asdict(total) for model, total in self.totals.items()},
        }


def _object(raw: bytes) -> dict[str, object]:
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
