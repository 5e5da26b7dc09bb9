"""GLEU by hand, and against the formula written out with sets of positions instead of counters."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from distillc.plugins.api.metrics import Item
from distillc.plugins.metrics.configs import GleuConfig
from distillc.plugins.metrics.gleu import Gleu


def value(gleu: Gleu, items: list[Item]) -> float:
    return float(gleu.aggregate(gleu.statistics(items).sum(0), np.float64(len(items)))[""])  # type: ignore[arg-type]


def test_one_sentence_by_hand() -> None:
    # source: She go to school now | output: She goes to the school now | reference: She goes to school now
    # order 1: output has 6; matches She goes to school now = 5; source n-grams not in the reference: go -> none in the output: 5/6
    # order 2: reference: She·goes goes·to to·school school·now; output has She·goes goes·to school·now: 3/5
    # length 6, reference 5: no brevity penalty. GLEU = exp((ln 5/6 + ln 3/5) / 2)
    item = Item("1", "She go to school now", "She goes to the school now", ("She goes to school now",))
    assert value(Gleu(GleuConfig(order=2)), [item]) == pytest.approx(math.sqrt(5 / 6 * 3 / 5))


def test_what_should_have_been_changed_costs() -> None:
    # output = source = "a b c", reference "a b d": order 1: a, b match = 2, c is only in the source: 2 - 1 = 1 of 3
    item = Item("1", "a b c", "a b c", ("a b d",))
    assert Gleu(GleuConfig(order=1)).statistics([item]).tolist() == [[3, 3, 1, 3]]
    # order 2: a·b matches = 1, b·c is only in the source: 1 - 1 = 0 of 2
    assert Gleu(GleuConfig(order=2)).statistics([item]).tolist() == [[3, 3, 1, 3, 0, 2]]


def test_a_short_output_pays_for_its_length() -> None:
    item = Item("1", "a b x", "a b", ("a b c d",))
    assert value(Gleu(GleuConfig(order=1)), [item]) == pytest.approx(math.exp(1 - 4 / 2))


def test_a_perfect_output_is_1_and_an_empty_count_0() -> None:
    item = Item("1", "a bb c d e", "a b c d e", ("a b c d e",))
    assert value(Gleu(GleuConfig()), [item]) == pytest.approx(1.0)
    assert value(Gleu(GleuConfig()), [Item("1", "a b", "x", ("c d",))]) == 0.0


def test_the_corpus_value_comes_from_sums_not_from_means() -> None:
    one, two = Item("1", "a x c d", "a b c d", ("a b c d",)), Item("2", "e f g h", "e f g h", ("e f g i",))
    gleu = Gleu(GleuConfig(order=2))
    # order 1: 4 + (3 - 1) of 4 + 4; order 2: 3 + (2 - 1) of 3 + 3
    assert value(gleu, [one, two]) == pytest.approx(math.sqrt(6 / 8 * 4 / 6))


def test_several_references_bring_the_mean_of_their_counts() -> None:
    item = Item("1", "a b", "a c", ("a c", "d e"))
    assert Gleu(GleuConfig(order=1)).statistics([item]).tolist() == [[2, 2, 1.0, 2]]  # 2 matches and 0 - 1 -> 0, halved


def test_against_the_definition_written_out() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        source, output, reference = (" ".join(rng.choice(list("abcde"), size=rng.integers(2, 9))) for _ in range(3))
        found = Gleu(GleuConfig(order=2)).statistics([Item("1", source, output, (reference,))])[0]
        assert found.tolist() == [len(output.split()), len(reference.split()), *plainly(source, output, reference)]


def plainly(source: str, output: str, reference: str) -> list[int]:
    """Each n-gram of the output: as often as in the reference it is a match, as in the source, if the reference lacks it, a fault."""
    counts = []
    for order in (1, 2):
        sides: list[list[Any]] = [text.split() if order == 1 else list(pairwise(text.split())) for text in (source, output, reference)]
        before, made, wanted = sides
        matches = sum(min(made.count(gram), wanted.count(gram)) for gram in set(made))
        faults = sum(min(made.count(gram), before.count(gram)) for gram in set(made) if gram not in wanted)
        counts += [max(0, matches - faults), len(made)]
    return counts
