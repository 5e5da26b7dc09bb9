"""What every engine decides alike: which prompts make a batch, and where an answer ends. No library behind it."""

import hashlib
from collections.abc import Callable, Iterator, Sequence

from distillc.plugins.api.artifacts import Completion, Decoding
from distillc.spec.errors import StageFailed

# Keys and values of a batch stay under this many tokens, prompt and answer counted. Of 30 layers with keys 192 wide (SmolLM2-135M):
# 8192 x 30 x 2 x 192 numbers are 189 MB in 16 bits.
CACHED_TOKENS = 8192


def batches(lengths: Sequence[int], batch: int, max_tokens: int) -> Iterator[list[int]]:
    """Indices in batches of like length, the longest last; none holds more than `batch` or than the cache should."""
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
    chunk: list[int] = []
    for index in order:
        if chunk and (len(chunk) == batch or (len(chunk) + 1) * (lengths[index] + max_tokens) > CACHED_TOKENS):
            yield chunk
            chunk = []
        chunk.append(index)
    if chunk:
        yield chunk


def groups(prompts: Sequence[str], size: int) -> list[list[int]]:
    """Indices in groups of like length: a pure function of the prompts, so a group that is computed again comes out the same."""
    order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), i))
    return [order[start : start + size] for start in range(0, len(order), size)]


def check_prompt(ids: Sequence[int]) -> None:
    """Raises StageFailed for a prompt without any token: a model continues tokens, and each engine would do something else here."""
    if not ids:
        raise StageFailed(
            "a prompt is empty, and this model's tokenizer puts nothing before it",
            help="give the task a `prompt` with a text of its own, or drop rows without input",
        )


def longest(prompts: Sequence[Sequence[int]]) -> int:
    """Tokens of the longest prompt of a batch. Raises StageFailed where one has none."""
    for ids in prompts:
        check_prompt(ids)
    return max(map(len, prompts))


class Answers:
    """The answers to a batch of prompts as they are written, a token each at a time.

    `is_end` knows the tokens that end an answer and are no part of it, `text` spells ids. `alive` are the places of answers that go on.
    """

    def __init__(
        self, prompts: Sequence[Sequence[int]], decoding: Decoding, is_end: Callable[[int], bool], text: Callable[[Sequence[int]], str]
    ) -> None:
        self.prompts, self.stops, self.is_end, self.text = prompts, decoding.stop, is_end, text
        self.ids: list[list[int]] = [[] for _ in prompts]
        self.reasons = ["length"] * len(prompts)
        self.alive = list(range(len(prompts)))

    def add(self, tokens: Sequence[int]) -> list[int]:
        """Takes the next token of each answer that is alive, in their order; which of those, counted from 0, go on."""
        going = [place for place, (index, token) in enumerate(zip(self.alive, tokens, strict=True)) if self._goes_on(index, token)]
        self.alive = [self.alive[place] for place in going]
        return going

    def _goes_on(self, index: int, token: int) -> bool:
        if not self.is_end(token):
            self.ids[index].append(token)
            if not self.stops or not cut(self.text(self.ids[index]), self.stops)[1]:
                return True
        self.reasons[index] = "stop"
        return False

    def completions(self) -> list[Completion]:
        """Of each prompt, in their order: its answer up to a stop string."""
        return [
            Completion(text=cut(self.text(ids), self.stops)[0], finish_reason=reason, prompt_tokens=len(prompt), completion_tokens=len(ids))
            for prompt, ids, reason in zip(self.prompts, self.ids, self.reasons, strict=True)
        ]


def cut(string: str, stops: Sequence[str]) -> tuple[str, bool]:
    """The text up to the first stop string, and whether there was one."""
    found = [at for at in (string.find(stop) for stop in stops) if at >= 0]
    return (string[: min(found)], True) if found else (string, False)


def own_seed(seed: int, prompt: str, *, bits: int = 31) -> int:
    """A seed that hangs on seed and prompt alone, not on the batch. `bits`: at most 64, as many as the library takes."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{prompt}".encode()).digest()[:8], "big") >> (64 - bits)
