"""Many prompts to one endpoint, side by side: each answer is handed over as soon as it is there, and before another call takes its place.

So whoever journals what is handed over loses, when killed, no more calls than were in flight. When a call fails for good no other begins;
those in flight were paid for, so they are waited for before the error is raised.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from distillc.plugins.api.artifacts import Completion
from distillc.plugins.api.engines import Meter
from distillc.runtimes.remote import chat
from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.failures import Busy, MayPass, Rejected, may_be_billed
from distillc.spec.errors import BudgetReached, DistillError
from distillc.spec.wording import shorten

PATH = "/chat/completions"
OF_A_PROMPT = (400, 413, 422)
FILTERED = ("content_filter", "content_policy_violation")


@dataclass(slots=True)
class Asked:
    """A call in flight: the most tokens that it may take, in and out, and the meter's reservation of them, for the try that is out."""

    number: int
    most: tuple[int, int]
    reserved: Any


class Answering:
    """`meter` is asked before each call. One thread uses it; the calls run while somebody waits for an answer.

    `path` is what bodies are sent to, `read` what makes an answer of a reply to one.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        client: Client,
        *,
        path: str = PATH,
        read: Callable[[Any, chat.Body], Completion] = chat.completion,
    ) -> None:
        self._loop, self._client, self._path, self._read = loop, client, path, read
        self.meter: Meter | None = None
        self._longest = 0  # tokens of an answer so far
        self._failed: DistillError | None = None
        self._flying: dict[asyncio.Task[Completion], Asked] = {}
        self._done: list[asyncio.Task[Completion]] = []

    def answers(self, bodies: Sequence[chat.Body]) -> Iterator[tuple[int, Completion]]:
        """Answers with the index of their body, in any order. Raises BudgetReached, or StageFailed, after the last of them."""
        waiting = deque(range(len(bodies)))
        self._failed = None
        try:
            while True:
                self._failed = self._failed or self._start(bodies, waiting)
                if not self._flying and (self._failed or not waiting):
                    break
                self._wait(self._client.pace.wait if waiting and not self._failed else 0.0)
                done, self._done = self._done, []
                for task in done:
                    asked = self._flying.pop(task)
                    try:
                        answer = task.result()
                    except (Busy, BudgetReached):  # not now; the latter before another try, which others in flight may leave room for
                        self._close(asked, billed=False)
                        waiting.append(asked.number)
                    except DistillError as error:
                        self._close(asked, billed=may_be_billed(error))
                        if isinstance(error, Rejected) and error.status in OF_A_PROMPT and not self._client.quiet:
                            error.message += f"; asked was {shorten(chat.asked_in(bodies[asked.number]))!r}"
                        self.end(error)
                    else:
                        self._longest = max(self._longest, answer.completion_tokens)
                        if self.meter:
                            self.meter.settle(asked.reserved, answer.prompt_tokens, answer.completion_tokens)
                        yield asked.number, answer
        finally:
            self._cancel()
        if self._failed:
            raise self._failed

    def end(self, error: DistillError) -> None:
        """No call begins any more, and `answers` raises this after those in flight."""
        self._failed = self._failed or error
        self._client.end()

    def _start(self, bodies: Sequence[chat.Body], waiting: deque[int]) -> DistillError | None:
        """Starts as many calls as there is room for. Returns why none may begin any more, where no call in flight can change that."""
        for _ in range(min(self._client.pace.room(len(self._flying)), len(waiting))):
            body = bodies[waiting[0]]
            content = chat.encoded(body)
            most = chat.most(body, content, self._longest)
            try:
                reserved = self.meter.reserve(*most) if self.meter else None
            except BudgetReached as reached:
                return None if self._flying else reached
            asked = Asked(waiting.popleft(), most, reserved)
            task = self._loop.create_task(self._answer(body, content, asked))
            self._flying[task] = asked
            task.add_done_callback(self._landed)
        return None

    def _close(self, asked: Asked, *, billed: bool) -> None:
        """Of a call, or a try of one, that gave no answer."""
        if self.meter and asked.reserved is not None:
            (self.meter.lose if billed else self.meter.release)(asked.reserved)
            asked.reserved = None

    async def _answer(self, body: chat.Body, content: bytes, asked: Asked) -> Completion:
        def again(error: MayPass) -> None:
            if self.meter and error.billed:
                self._close(asked, billed=True)
                asked.reserved = self.meter.reserve(*asked.most)

        try:
            return self._read(await self._client.call("POST", self._path, content, again), body)
        except Rejected as error:
            too_long = error.too_long and not self._client.own  # of a server of ours there is a number to raise
            if error.code not in FILTERED and not too_long:
                raise
            reason = "too_long" if too_long else "content_filter"
            return Completion(text="", finish_reason=reason, prompt_tokens=0, completion_tokens=0)

    def _landed(self, task: asyncio.Task[Completion]) -> None:
        if task in self._flying:  # somebody waits for it
            self._done.append(task)
            self._loop.stop()

    def _wait(self, pause: float) -> None:
        """Until a call is done, or the pause is over after which one may begin."""
        if self._done or not (self._flying or pause):
            return
        alarm = self._loop.call_later(pause, self._loop.stop) if pause else None
        self._loop.run_forever()
        if alarm:
            alarm.cancel()

    def _cancel(self) -> None:
        """Nobody waits for what is still in flight."""
        left, self._flying, self._done = self._flying, {}, []  # first: one that has just ended would stop the loop while it cleans up
        for task in left:
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left))
        for asked in left.values():
            self._close(asked, billed=True)
