"""Puts errors into clean sentences: gold pairs for grammar correction out of text that has none.

The error types are the functions of `common_errors` and `held_out_errors`, each with an example in its docstring, and real
misspellings (`misspellings`). Which errors a sentence gets depends on the seed and the row alone: the number by the weights
`per_sentence`; for each, whether it is a misspelling by the share `misspellings`; else a family among those that have a place in the
sentence, each equally likely but for those that fit nearly everywhere, then a place. Fewer are put in where there is no room for more.

A sentence that already has a known misspelling is dropped (`misspelled`), and so is one that drew an error and has no place for any
(`no_error_fits`): the share of unchanged sentences is that of `per_sentence` and nothing else.
"""

import hashlib
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from distillc.plugins.api.artifacts import Row
from distillc.plugins.api.generators import GenerateContext
from distillc.plugins.generators import common_errors, held_out_errors, misspellings
from distillc.plugins.generators.configs import CorruptConfig
from distillc.plugins.generators.edits import Edit, Family, apply, overlaps
from distillc.spec.errors import StageFailed

# Families with a place in nearly every sentence, and their weight beside the 1 of the others: without it they would be half of all errors.
_EVERYWHERE = {"full_stop": 0.3, "capital": 0.3, "doubled_word": 0.3, "word_order": 0.3, "word_boundary": 0.5}


class Corrupt:
    def __init__(self, config: CorruptConfig) -> None:
        """Raises StageFailed when no number of errors has a weight."""
        if not any(config.per_sentence):
            raise StageFailed("all weights are 0", where="per_sentence", help="give a number of errors a weight: [0.1, 0.9]")
        self.config = config
        self.families = families(config.errors)
        self.half: misspellings.Half = "held_out" if set(self.families) <= set(held_out_errors.FAMILIES) else "common"

    def generate(self, rows: Sequence[Row], context: GenerateContext) -> Iterator[Row]:
        known = misspellings.all_misspellings()
        for row in rows:
            clean = str(row.payload["input"])
            if not known.isdisjoint(re.findall(r"[a-z]+", clean.lower())):
                context.drop(row, "misspelled")
                continue
            corrupted = self.corrupt(clean, _random(context.seed, row.row_id))
            if corrupted is None:
                context.drop(row, "no_error_fits")
                continue
            payload = {"input": corrupted} if self.config.gold == "drop" else {"input": corrupted, "target": clean}
            row_id = hashlib.blake2b(f"corrupt\0{context.seed}\0{self.config!r}\0{row.row_id}".encode(), digest_size=10).hexdigest()
            yield replace(row, row_id=row_id, payload=payload, generator="corrupt", parents=(row.row_id,))

    def corrupt(self, clean: str, draw: random.Random) -> str | None:
        """The sentence with errors, or None if it drew some and none fits. Unchanged if it drew none."""
        wanted = draw.choices(range(len(self.config.per_sentence)), weights=self.config.per_sentence)[0]
        if not wanted:
            return clean
        typos = list(misspellings.places(clean, self.half)) if self.config.misspellings else []
        places = {name: list(family(clean)) for name, family in self.families.items()}
        edits: list[Edit] = []
        for _ in range(wanted):
            free = [edit for edit in typos if not overlaps(edit, edits)]
            fits = {name: fit for name, found in places.items() if (fit := [edit for edit in found if not overlaps(edit, edits)])}
            if free and (not fits or draw.random() < self.config.misspellings):
                edits.append(draw.choice(free))
            elif fits:
                name = draw.choices(list(fits), weights=[_EVERYWHERE.get(name, 1.0) for name in fits])[0]
                edits.append(draw.choice(fits[name]))
        return apply(clean, edits) if edits else None


def families(errors: str | Sequence[str]) -> Mapping[str, Family]:
    """The families that a config's `errors` means, by name."""
    if errors == "common":
        return common_errors.FAMILIES
    if errors == "held_out":
        return held_out_errors.FAMILIES
    both = {**common_errors.FAMILIES, **held_out_errors.FAMILIES}
    return {name: both[name] for name in errors}


def _random(seed: int, row_id: str) -> random.Random:
    return random.Random(int.from_bytes(hashlib.blake2b(f"{seed}\0{row_id}".encode(), digest_size=8).digest()))
