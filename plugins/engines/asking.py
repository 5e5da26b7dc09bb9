"""What the engines of APIs and of servers of our own have in common: prompts go out side by side, each answer comes when it is there."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence

from distillc.plugins.api.artifacts import Completion, Decoding
from distillc.runtimes.remote import chat
from distillc.runtimes.remote.answering import PATH, Answering
from distillc.runtimes.remote.client import Client, check_name


class Asking(ABC):
    """`path` and `read` are those of `Answering`. Raises StageFailed where the model is not served, if that `is_checked`."""

    is_checked = True

    def __init__(self, client: Client, *, path: str = PATH, read: Callable[..., Completion] = chat.completion) -> None:
        self.client = client
        self.loop = asyncio.new_event_loop()
        self.answering = Answering(self.loop, client, path=path, read=read)
        try:
            if self.is_checked:
                self.loop.run_until_complete(check_name(client))
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def body(self, decoding: Decoding) -> Callable[[str], chat.Body]:
        """What makes a prompt a body."""

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        body = self.body(decoding)
        yield from self.answering.answers([body(prompt) for prompt in prompts])

    def timed(self, prompts: Sequence[str], tokens: int) -> Iterator[float]:
        """The other side ends an answer where it will: `tokens` is the most."""
        for prompt in prompts:
            started = time.perf_counter()
            list(self.answering.answers([self.body(Decoding(max_tokens=tokens))(prompt)]))
            yield time.perf_counter() - started

    def close(self) -> None:
        self.loop.run_until_complete(self.client.close())
        self.loop.close()
