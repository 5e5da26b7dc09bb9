"""What one running server has: its script, its clock, its book."""

from dataclasses import dataclass, field

from distillc.testing.server.clock import Clock
from distillc.testing.server.log import Log
from distillc.testing.server.script import Dialect, Script


@dataclass(slots=True)
class State:
    dialect: Dialect
    script: Script
    clock: Clock = field(default_factory=Clock)
    log: Log = field(default_factory=Log)
