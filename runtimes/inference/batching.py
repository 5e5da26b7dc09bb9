"""What every engine decides alike: which prompts make a batch, and where an answer ends. No library behind it."""

import hashlib
from collections.abc import Iterator, Sequence

# Keys and values of a batch stay under this many tokens, prompt and answer counted: 90 MB for a layer-30, width-192 cache.
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


def cut(string: str, stops: Sequence[str]) -> tuple[str, bool]:
    """The text up to the first stop string, and whether there was one."""
    found = [at for at in (string.find(stop) for stop in stops) if at >= 0]
    return (string[: min(found)], True) if found else (string, False)


def own_seed(seed: int, prompt: str, *, bits: int = 31) -> int:
    """A seed that hangs on seed and prompt alone, not on the batch. `bits`: at most 64, as many as the library takes."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{prompt}".encode()).digest()[:8], "big") >> (64 - bits)
