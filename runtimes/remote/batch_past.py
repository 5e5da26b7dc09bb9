"""What batches have come to that are forgotten, for the run that goes on where this one is killed."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Past:
    """`answered`: whether any row ever had an answer. `tries`: how often the requests of rows without one have failed, by their digest."""

    answered: bool = False
    tries: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> "Past":
        return cls(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else cls()

    def write(self, file: Path) -> None:
        made = file.with_suffix(".new")
        made.write_text(json.dumps(asdict(self)), encoding="utf-8")
        made.replace(file)
