"""What is served under a name of its own, adapters and dedicated endpoints, as they are at a moment of the server's clock."""

from dataclasses import dataclass

from distillc.testing.server.script import Adapters, Endpoints


@dataclass(slots=True)
class Adapter:
    name: str
    request: dict[str, object]
    created: int
    habits: Adapters
    asked: int = 0
    deleted: bool = False

    def status(self, now: float) -> str:
        if self.deleted:
            return "deleted"
        return self.habits.ends if now >= self.created + self.habits.seconds else "validating"

    def serving(self, now: float) -> bool:
        return self.status(now) == "active"


@dataclass(slots=True)
class Endpoint:
    endpoint_id: str
    request: dict[str, object]
    routing_key: str
    created: int
    habits: Endpoints
    since: float  # when it was created, enabled or changed last
    enabled: bool = True
    changed: bool = False  # it serves as it was until the change is done

    def deployment(self, now: float) -> dict[str, object]:
        least, age, seconds = self.replicas(), now - self.since, self.habits.seconds
        if not self.enabled:
            stopped = age >= seconds / 2
            return {"status": "stopped" if stopped else "stopping", "readiness": "not_ready", "ready_replicas": 0}
        if self.habits.ends == "error" and age >= seconds / 2:
            return {"status": "error", "readiness": "not_ready", "ready_replicas": 0}
        if age >= seconds:
            return {"status": "running", "readiness": "ready", "ready_replicas": least}
        if self.changed:
            return {"status": "updating", "readiness": "ready", "ready_replicas": least}
        if age >= seconds / 2:
            return {"status": "starting", "readiness": "partially_ready", "ready_replicas": max(1, least // 2)}
        return {"status": "starting", "readiness": "not_ready", "ready_replicas": 0}

    def replicas(self) -> int:
        scaling = self.request["scaling"]
        return int(scaling["min_replicas"]) if isinstance(scaling, dict) else 1

    def serving(self, now: float) -> bool:
        """A router knows it once all of it is ready; until then it answers 404."""
        return self.deployment(now)["readiness"] == "ready"
