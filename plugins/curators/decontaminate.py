"""Drops what repeats a test set: 13 words in a row in common, or, of shorter texts, the whole text.

The rule of Brown et al., Language Models are Few-Shot Learners, 2020, appendix C (13-grams, case and punctuation taken out).
"""

from collections.abc import Iterator, Sequence

from distillc.plugins.api.artifacts import Row
from distillc.plugins.api.curators import CurateContext
from distillc.plugins.curators.configs import DecontaminateConfig
from distillc.runtimes.texts import texts, words


class Decontaminate:
    """Reason: `contaminated`. Input and target of a row are compared with input and target of the rows behind `against`.

    Rows of a test split are kept: they are what is protected, and often those very rows.
    """

    def __init__(self, config: DecontaminateConfig) -> None:
        self.config = config

    def judge(self, rows: Sequence[Row], context: CurateContext) -> Iterator[str | None]:
        protected = {mark for against in context.rows("against").values() for row in against for mark in self._marks(row)}
        for row in rows:
            leaks = row.split != "test" and any(mark in protected for mark in self._marks(row))
            yield "contaminated" if leaks else None

    def _marks(self, row: Row) -> Iterator[str]:
        size = self.config.ngram
        for text in texts(row):
            found = words(text)
            if found:
                # A text shorter than an n-gram is one mark, and equals only a text that is as short.
                yield from (" ".join(found[at : at + size]) for at in range(max(1, len(found) - size + 1)))
