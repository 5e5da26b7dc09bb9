"""The server's time: a batch of 87 minutes takes as many polls, not minutes."""

import time

START = 1_753_305_500  # when the public walk-through's first file was uploaded; the same ids and times in each run


class Clock:
    def __init__(self, step: float = 600.0, scale: float = 1.0) -> None:
        """`step` seconds pass whenever someone asks how far a batch, a job or a model is, `scale` seconds with each real one."""
        self.step, self.scale = step, scale
        self._ahead = 0.0
        self._start = time.monotonic()

    def now(self) -> float:
        return START + self._ahead + (time.monotonic() - self._start) * self.scale

    def advance(self, seconds: float) -> None:
        self._ahead += seconds

    def poll(self) -> float:
        self._ahead += self.step
        return self.now()
