"""How many calls may be in flight, and from when on: learned from what the API says and from what more calls bring.

Unless a number is given it begins with a few and doubles while answers come faster for it; now and then it tries again. What the API
tells is heeded first: `Retry-After`, and `x-ratelimit-remaining-*` with `x-ratelimit-reset-*`. A refusal that names no time halves the
calls and waits at random, longer each time (full jitter: Brooker, Exponential Backoff And Jitter, 2015); so does one after the time that
the API has named.
"""

import email.utils
import math
import random
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime

START, MOST = 4, 64
PAYS = 1.1  # twice the calls are worth it where a tenth more answers come
SOON, LATE = 2, 32  # round trips until it is decided, and until it is tried again
BASE, LONGEST = 1.0, 60.0  # seconds of a wait that nobody asked for
PATIENCE = 300.0  # seconds of refusals alone until it is given up: most limits are of a minute, and others may use them too
TOO_LONG = 3600.0  # who asks for a longer wait gets none: by then a person has looked
_PART = re.compile(r"([0-9.]+)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Pace:
    """`refusals`: pauses since the last answer. `clock` is monotonic; `draw` gives a number between two."""

    def __init__(
        self,
        concurrency: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.limit, self._most = concurrency or START, concurrency or MOST
        self.refusals = 0
        self._clock, self._draw = clock, draw
        self._refused = math.inf  # since when
        self._left = math.inf  # calls that the API still allows
        self._from = -math.inf  # when the next may start
        self._tokens = 0.0  # of a call, on the average
        self._answers, self._since = 0, clock()
        self._round, self._doubled, self._best = SOON, False, 0.0

    @property
    def wait(self) -> float:
        """Seconds until a call may start."""
        return max(0.0, self._from - self._clock())

    def room(self, in_flight: int) -> int:
        """How many calls may start now."""
        return 0 if self.wait else max(0, int(min(self.limit, max(self._left, 1))) - in_flight)

    def answered(self, headers: Mapping[str, str], tokens: int = 0) -> None:
        """A call came back well; `tokens` is what it took."""
        self.refusals = 0
        self._tokens += (tokens - self._tokens) / 16 if self._tokens else tokens
        self._left, reset = self._allowed(headers)
        if self._left < 1 and 0 < reset <= TOO_LONG:  # of a day's limit the next call will hear
            self._pause(reset)
        else:
            self._grow()

    def refused(self, headers: Mapping[str, str]) -> float:
        """A call was turned away: too many. Those that went out with it and come back so too are the same refusal.

        Returns the seconds that the API asked for, 0 where it did not say.
        """
        again = self.wait > 0
        asked = retry_after(headers) or self._allowed(headers)[1]
        if asked:
            self._pause(asked + self._draw(0, min(1.0, asked / 10)))  # others with the same key wait for the same moment
        elif not again:
            self._halve()
        if not again and (self.refusals or not asked):
            self._pause(self._draw(0, min(LONGEST, BASE * 2**self.refusals)))
        if not self.refusals:
            self._refused = self._clock()
        self.refusals += not again
        return asked

    def in_vain(self, retries: int) -> bool:
        """Whether nothing was answered between more than `retries` pauses, minutes long in all."""
        return self.refusals > retries and self._clock() - self._refused >= PATIENCE

    def _pause(self, seconds: float) -> None:
        self._from = max(self._from, self._clock() + seconds)
        self._left = math.inf  # what is left then, the next answer tells
        self._answers, self._since = 0, self._from

    def _grow(self) -> None:
        """At the end of a round: did twice the calls bring more answers, and may there be more still?"""
        self._answers += 1
        if self._answers < self._round * self.limit:
            return
        now = self._clock()
        rate = self._answers / max(now - self._since, 1e-9)
        self._answers, self._since = 0, now
        if self._doubled and rate < PAYS * self._best:
            self._halve()
        elif self.limit < self._most:
            self._best, self._doubled, self._round, self.limit = rate, True, SOON, min(self._most, self.limit * 2)
        else:
            self._doubled = False

    def _halve(self) -> None:
        self.limit, self._doubled, self._round = max(1, self.limit // 2), False, LATE

    def _allowed(self, headers: Mapping[str, str]) -> tuple[float, float]:
        """How many calls are left, and seconds until there are more, where there are none."""
        left, reset = math.inf, 0.0
        for kind, cost in (("requests", 1.0), ("tokens", self._tokens)):
            said = headers.get(f"x-ratelimit-remaining-{kind}")
            calls = _number(said) / max(cost, 1.0) if said else math.inf
            if calls < 1:
                reset = max(reset, seconds(headers.get(f"x-ratelimit-reset-{kind}", "")))
            left = min(left, calls)
        return left, reset


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds; 0 where nothing is said."""
    if exact := headers.get("retry-after-ms"):
        return _number(exact) / 1000 if _number(exact) < math.inf else 0.0
    return seconds(headers.get("retry-after", ""))


def seconds(text: str) -> float:
    """`20`, `6m0s`, `120ms`, a moment as an HTTP date, as ISO 8601 or in seconds since 1970: how long from now. 0 for all else."""
    text = text.strip()
    number = _number(text)
    if number < math.inf:
        return max(0.0, number - time.time() if number > 1e9 else number)
    parts = _PART.findall(text)
    if parts and "".join(map("".join, parts)) == text:
        return sum(_number(count) * _SECONDS[unit] for count, unit in parts)
    try:
        moment = datetime.fromisoformat(text) if text[:4].isdigit() else email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 0.0
    return max(0.0, moment.timestamp() - time.time())


def _number(text: str) -> float:
    """Infinity for what is none."""
    try:
        found = float(text)
    except ValueError:
        return math.inf
    return found if math.isfinite(found) else math.inf
