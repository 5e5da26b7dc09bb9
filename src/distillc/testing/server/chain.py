"""A language model small enough to check by hand: 16 words, and after word i comes word i+1+k (mod 16) with probability ½^(k+1).

The last two share the rest, so that the probabilities sum to 1. A text that another teacher wrote gets the same ladder of
log-probabilities: the piece that stands there has ½, then come the chain's words. Where bytes are tokens, the byte that stands there has ½,
then come the letters from a to p without it.
"""

import math
import random
import re
from collections.abc import Iterator

_TEXT = " the cat sat on a mat and she goes to school with her old red bag"
WORDS = tuple(re.findall(r" \w+", _TEXT))
SIZE = len(WORDS)
PROBABILITIES = tuple(0.5 ** min(k + 1, SIZE - 1) for k in range(SIZE))
LOG_PROBABILITIES = tuple(math.log(p) for p in PROBABILITIES)
LETTERS = tuple(bytes([letter]) for letter in b"abcdefghijklmnop")

Ladder = list[tuple[bytes, float]]


def following(word: int) -> list[int]:
    """The words after `word`, most likely first."""
    return [(word + 1 + k) % SIZE for k in range(SIZE)]


def written(draw: random.Random, temperature: float, top_p: float, most: int) -> Iterator[str]:
    """`most` words from `temperature` and `top_p`; at temperature 0 always the likeliest."""
    ranks = range(SIZE)
    weights = [p ** (1 / temperature) for p in PROBABILITIES] if temperature > 0 else [1.0] + [0.0] * (SIZE - 1)
    total, kept = sum(weights), 0.0
    for rank in ranks:
        if kept >= top_p * total:
            weights[rank] = 0.0
        kept += weights[rank]
    word = SIZE - 1
    for _ in range(most):
        word = following(word)[draw.choices(ranks, weights)[0]]
        yield WORDS[word]


def byte_log_probabilities(text: bytes, top: int) -> list[tuple[float, Ladder]]:
    """As `log_probabilities`, of bytes."""
    ladders = [[token, *(letter for letter in LETTERS if letter != token)] for token in (bytes([byte]) for byte in text)]
    return [(LOG_PROBABILITIES[0], list(zip(ladder[:top], LOG_PROBABILITIES, strict=False))) for ladder in ladders]


def log_probabilities(tokens: list[str], top: int) -> list[tuple[float, Ladder]]:
    """For each token its log-probability and the `top` likeliest, as temperature 1 has them."""
    known = {word: index for index, word in enumerate(WORDS)}
    rows, before = [], SIZE - 1
    for token in tokens:
        ladder = [WORDS[word] for word in following(before)]
        if token in known:
            before = known[token]
        else:
            ladder = [token, *ladder[:-1]]
        likeliest = [word.encode() for word in ladder[:top]]
        rows.append((LOG_PROBABILITIES[ladder.index(token)], list(zip(likeliest, LOG_PROBABILITIES, strict=False))))
    return rows
