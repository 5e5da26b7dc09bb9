"""What an API told of its own answers, as signals: token strings become ids by their bytes, and nothing is encoded again.

A candidate that is no token of the teacher's tokenizer, or may be two, is not kept; its mass is in the tail with that of all others, which
is 1 minus what is kept. So it is with a written token of which the API only tells that it is none of the likeliest. Only at temperature 1:
how a tail flattens hangs on how it is spread, which nobody told.
"""

import math
from collections.abc import Sequence

from distillc.plugins.api.artifacts import Row
from distillc.runtimes.inference.logprobs import UNLIKELY, Candidate, unpack
from distillc.runtimes.inference.token_bytes import TokenBytes
from distillc.runtimes.training.signals import Kept, SignalHeader, SignalWriter
from distillc.spec.errors import StageFailed

LEAST_TAIL = 1e-7  # the student's own bucket is held there (runtimes/training/buckets.py); 1 minus float32 numbers is no better
TOO_MUCH = 1e-3  # by which rounded probabilities may be more than 1 in sum


def gather(rows: Sequence[Row], teacher: str, tokenizer: TokenBytes, header: SignalHeader) -> SignalWriter:
    """Signals for rows that `teacher` answered. Raises StageFailed for a row without log-probabilities, or with those of another answer,
    and for tokens that the tokenizer does not have."""
    writer = SignalWriter(header)
    for row in rows:
        if row.teacher != teacher or not row.logprobs:
            raise StageFailed(
                f"row {row.row_id} has no log-probabilities of `{teacher}`", where=row.row_id, help="answer with `top_logprobs` again"
            )
        positions, by_text = unpack(row.logprobs)
        check_spelled(b"".join(position[0].token for position in positions), row)
        ids = [_known(position, tokenizer, by_text=by_text) for position in positions]
        kept = [_kept(position, row, header) for position in ids]
        writer.add_kept(
            row.row_id,
            [next(iter(position)) for position in ids],
            Kept(
                [len(position) for position in kept],
                [token for position in kept for token, _ in position],
                [value for position in kept for _, value in position],
                [[_tail(position)] for position in kept],
            ),
        )
    return writer


def check_spelled(written: bytes, row: Row) -> None:
    """Raises StageFailed where tokens do not spell the target of their row."""
    text = written.decode("utf-8", "replace").strip()
    if text != str(row.payload.get("target", "")).strip():
        raise StageFailed(
            f"the tokens of row {row.row_id} spell {text[:60]!r}, and its target is {str(row.payload.get('target'))[:60]!r}",
            where=row.row_id,
            help="a soft loss learns from answers as the API gave them, with a tokenizer that the student has too",
        )


def _known(position: Sequence[Candidate], tokenizer: TokenBytes, *, by_text: bool) -> dict[int, float]:
    """The ids of candidates, the token that was written first."""
    written, *others = position
    found = {tokenizer.id_of_written(written.token): written.log_prob}
    for other in others:
        if (token := tokenizer.id_of(other.token, by_text=by_text)) is not None:
            found.setdefault(token, other.log_prob)
    return found


def _kept(position: dict[int, float], row: Row, header: SignalHeader) -> list[tuple[int, float]]:
    """The smallest set of ids that holds the mass, likeliest first. `UNLIKELY` is no probability: kept it would be one of 0."""
    total = math.fsum(map(math.exp, position.values()))
    if total > 1 + TOO_MUCH:
        raise StageFailed(
            f"the probabilities that the API told of a token sum to {total:.3f}",
            where=row.row_id,
            help="ask it for log-probabilities as they are before sampling (vLLM: `--logprobs-mode raw_logprobs`)",
        )
    kept: list[tuple[int, float]] = []
    mass = 0.0
    for token, value in sorted(position.items(), key=lambda one: (-one[1], one[0]))[: header.top_k]:
        if mass >= header.mass or value <= UNLIKELY:
            break
        kept.append((token, value))
        mass += math.exp(value)
    return kept


def _tail(kept: Sequence[tuple[int, float]]) -> float:
    return math.log(max(1 - math.fsum(math.exp(value) for _, value in kept), LEAST_TAIL))
