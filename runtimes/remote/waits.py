"""Says that nothing comes back and why, once that has lasted for seconds: a refusal that is waited out, an address where nobody answers.

A short pause, and one call of many that is tried again while others are answered, are not worth a line.
"""

import math
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 3.0  # seconds without an answer of which nobody hears
BETWEEN = 10.0  # seconds from one line to the next, where waits are shorter

Emit = Callable[..., None]


class Waits:
    """`emit` gets `waits` with `why` and `seconds`, how long this wait is; of a call that failed, also which of its `tries` is `next`."""

    def __init__(self, emit: Emit | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._emit, self._clock = emit, clock
        self._since = math.inf  # the first wait after the last answer
        self._told = -math.inf  # until when what was said holds

    def answered(self) -> None:
        self._since = math.inf

    def begins(self, why: str, seconds: float, **tries: Any) -> None:
        """No call, or one of them, goes out for so long."""
        now = self._clock()
        self._since = min(self._since, now)
        if self._emit is not None and now >= self._told and now + seconds - self._since >= PATIENCE:
            self._told = now + max(seconds, BETWEEN)
            self._emit("waits", why=why, seconds=round(seconds, 1), **tries)
