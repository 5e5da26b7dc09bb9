"""Log-probabilities as OpenAI-compatible APIs tell them: read, cut down to the tokens of an answer, and packed into few bytes.

An API tells of each token that it wrote its text, mostly its bytes, its log-probability, and the same of the likeliest others. Some tell
bytes that are not the token's: a token that ends within a letter comes as U+FFFD, or as nothing. What such a token is nobody can say, so
it counts as unknown: among the likeliest its mass goes to the rest, and an answer that has one in it cannot be learned from token by token.

Packed, all little-endian: whether any bytes are those of a text alone (8 bits), how many tokens (32), of each how many candidates (8), the
token that was written first; of each candidate how many bytes (16), then all log-probabilities (float32), then all bytes.
"""

import struct
from collections.abc import Mapping, Sequence
from itertools import accumulate, islice
from typing import Any, NamedTuple

UNKNOWN = "\ufffd"
UNLIKELY = -9999.0  # what OpenAI says of a token that is not among the likeliest
MOST = 255
LONGEST = 0xFFFF  # bytes of a token that is packed
_HEAD = struct.Struct("<?I")


class Candidate(NamedTuple):
    """A token that was written, or might have been."""

    token: bytes
    log_prob: float


class Told(NamedTuple):
    """Of a token that was written: its bytes, None where they are not known, and its log-probability; `others` are the likeliest.

    `by_text`: the API told no bytes, but a text, in which those that are no letter may be missing.
    """

    token: bytes | None
    log_prob: float
    others: tuple[Candidate, ...]
    by_text: bool = False


def read(logprobs: Any) -> list[Told]:
    """What the `logprobs` of a choice say; nothing where there are none. Raises ValueError for another shape than OpenAI's."""
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else logprobs
    if content is None:
        return []
    try:
        return [_told(entry) for entry in content]
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        raise ValueError("a token has not `token`, `logprob` and `top_logprobs`") from None


def _told(entry: Mapping[str, Any]) -> Told:
    others = [(_bytes(one), _value(one)) for one in entry.get("top_logprobs") or ()]
    known = tuple(Candidate(token, value) for token, value in others if token is not None and value > UNLIKELY)
    by_text = any(one.get("bytes") is None for one in (entry, *(entry.get("top_logprobs") or ())))
    return Told(_bytes(entry), _value(entry), known[: MOST - 1], by_text)


def _value(entry: Mapping[str, Any]) -> float:
    value = float(entry["logprob"])
    if not value < 0.01:  # beyond what rounding makes of log 1
        raise ValueError
    return min(max(value, UNLIKELY), 0.0)


def _bytes(entry: Mapping[str, Any]) -> bytes | None:
    token, told = entry["token"], entry.get("bytes")
    if not isinstance(token, str) or not isinstance(told, list | bytes | None):
        raise TypeError
    try:
        written = token.encode()
    except UnicodeEncodeError:
        written = b""
    data = written if told is None else bytes(told)
    if len(data) > LONGEST or (data == written and UNKNOWN in token):
        return None
    return data or None


def packed(told: Sequence[Told], answer: str, *, stops: Sequence[str] = ()) -> bytes:
    """The tokens of `answer`, packed; nothing where the tokens do not spell it.

    What was thought before it, the white space around it and what ended it are left out. White space that shares a token with the answer
    stays in that token.
    """
    place = _place([one.token or b"" for one in told], answer.strip().encode(), 1 + max((len(stop.encode()) for stop in stops), default=0))
    if place is None or any(one.token is None for one in told[place]):
        return b""
    found = [[Candidate(one.token or b"", one.log_prob), *(c for c in one.others if c.token != one.token)] for one in told[place]]
    return pack(found, by_text=any(one.by_text for one in told[place]))


def _place(tokens: Sequence[bytes], answer: bytes, beyond: int) -> slice | None:
    """Where the tokens of an answer stand: last of all, but for white space and up to `beyond` tokens that ended it."""
    if not answer:
        return None
    ends = list(accumulate(map(len, tokens)))
    for count in range(len(tokens), max(len(tokens) - beyond - 1, 0), -1):
        written = _stripped(b"".join(tokens[:count]))
        if written.endswith(answer):
            begin = len(written) - len(answer)
            first = next(place for place, end in enumerate(ends) if end > begin)
            last = next(place for place, end in enumerate(ends) if end >= len(written))
            before = written[ends[first] - len(tokens[first]) : begin]
            return None if _stripped(before) else slice(first, last + 1)
    return None


def _stripped(data: bytes) -> bytes:
    """Without white space at its end, as texts are stripped. A letter may be cut at the start or end of tokens."""
    return data.decode("utf-8", "surrogateescape").rstrip().encode("utf-8", "surrogateescape")


def pack(positions: Sequence[Sequence[Candidate]], *, by_text: bool) -> bytes:
    candidates = [candidate for position in positions for candidate in position]
    return b"".join(
        [
            _HEAD.pack(by_text, len(positions)),
            struct.pack(f"<{len(positions)}B", *map(len, positions)),
            struct.pack(f"<{len(candidates)}H", *(len(candidate.token) for candidate in candidates)),
            struct.pack(f"<{len(candidates)}f", *(candidate.log_prob for candidate in candidates)),
            *(candidate.token for candidate in candidates),
        ]
    )


def unpack(data: bytes) -> tuple[list[list[Candidate]], bool]:
    """Of each token its candidates, the one that was written first; and whether any bytes are those of a text alone."""
    by_text, tokens = _HEAD.unpack_from(data)
    at = _HEAD.size + tokens
    counts = data[_HEAD.size : at]
    total = sum(counts)
    lengths = struct.unpack_from(f"<{total}H", data, at)
    values = struct.unpack_from(f"<{total}f", data, at + 2 * total)
    starts = accumulate(lengths, initial=at + 6 * total)
    found = (Candidate(data[start : start + size], value) for start, size, value in zip(starts, lengths, values, strict=False))
    return [list(islice(found, count)) for count in counts], by_text


def trimmed(data: bytes, others: int) -> bytes:
    """With at most so many candidates beside the token that was written."""
    if not data:
        return data
    positions, by_text = unpack(data)
    return pack([position[: others + 1] for position in positions], by_text=by_text)
