"""Drops rows whose input another one before it has, or nearly has.

Near duplicates are found with MinHash (Broder, On the resemblance and containment of documents, 1997) and banding (Leskovec,
Rajaraman, Ullman, Mining of Massive Datasets, section 3.4), and every pair found is then compared exactly: there are no false ones.
"""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from distillc.plugins.api.artifacts import Row
from distillc.plugins.api.curators import CurateContext
from distillc.plugins.curators.configs import DedupConfig
from distillc.runtimes.texts import words

_SHINGLE = 5
# 32 bands of 4: a pair of similarity 0.85 is missed with probability (1 - 0.85^4)^32 < 1e-10, one of 0.7 with 2e-4.
_BANDS, _ROWS = 32, 4
_PRIME = (1 << 31) - 1  # a and b below it, hashes below 2^31: a * hash + b fits into 64 bits


class Dedup:
    """Reasons: `duplicate` (equal but for case, punctuation and spacing), `near_duplicate`. The first of several is kept."""

    def __init__(self, config: DedupConfig) -> None:
        self.config = config
        draw = np.random.Generator(np.random.PCG64(0x5EED))
        self.factors = draw.integers(1, _PRIME, size=(_BANDS * _ROWS, 1), dtype=np.uint64)
        self.offsets = draw.integers(0, _PRIME, size=(_BANDS * _ROWS, 1), dtype=np.uint64)

    def judge(self, rows: Sequence[Row], context: CurateContext) -> Iterator[str | None]:
        seen: set[str] = set()
        kept: list[frozenset[str]] = []
        buckets: dict[tuple[int, bytes], list[int]] = {}
        for row in rows:
            text = " ".join(words(str(row.payload.get("input", ""))))
            if text in seen:
                yield "duplicate"
                continue
            seen.add(text)
            if self.config.similarity == 1:
                yield None
                continue
            shingles = frozenset(text[at : at + _SHINGLE] for at in range(max(1, len(text) - _SHINGLE + 1)))
            keys = self._bands(shingles)
            candidates = {number for key in keys for number in buckets.get(key, ())}
            if any(_jaccard(shingles, kept[number]) >= self.config.similarity for number in candidates):
                yield "near_duplicate"
                continue
            for key in keys:
                buckets.setdefault(key, []).append(len(kept))
            kept.append(shingles)
            yield None

    def _bands(self, shingles: frozenset[str]) -> list[tuple[int, bytes]]:
        """One bucket a band: where two texts share one, their similarity is worth computing."""
        hashes = np.array([_hash(shingle) for shingle in shingles], dtype=np.uint64)
        signature: NDArray[np.uint64] = ((self.factors * hashes + self.offsets) % np.uint64(_PRIME)).min(axis=1)
        return [(band, signature[band * _ROWS : (band + 1) * _ROWS].tobytes()) for band in range(_BANDS)]


def _hash(shingle: str) -> int:
    return int.from_bytes(hashlib.blake2b(shingle.encode(), digest_size=4).digest()) >> 1


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)
