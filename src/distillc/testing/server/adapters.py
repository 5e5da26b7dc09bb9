"""An adapter that is served under a name of its own, as it is at a moment of the server's clock."""

from dataclasses import dataclass

from distillc.testing.server.script import Deployed


@dataclass(slots=True)
class Adapter:
    name: str
    request: dict[str, object]
    created: int
    habits: Deployed
    asked: int = 0
    deleted: bool = False

    def status(self, now: float) -> str:
        if self.deleted:
            return "deleted"
        return self.habits.ends if now >= self.created + self.habits.seconds else "validating"
