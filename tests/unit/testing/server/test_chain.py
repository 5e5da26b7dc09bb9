import itertools
import math
import random
from collections import Counter

import pytest

from distillc.testing.server import chain


def test_probabilities_halve_and_sum_to_one() -> None:
    assert chain.PROBABILITIES[:3] == (0.5, 0.25, 0.125)
    assert sum(chain.PROBABILITIES) == 1


def test_the_likeliest_text_goes_through_the_words_in_turn() -> None:
    text = "".join(chain.written(random.Random(0), temperature=0, top_p=1, most=18))
    assert text == " the cat sat on a mat and she goes to school with her old red bag the cat"


def test_words_are_drawn_as_often_as_they_are_likely() -> None:
    words = list(chain.written(random.Random(1), temperature=1, top_p=1, most=20_000))
    steps = Counter((chain.WORDS.index(b) - chain.WORDS.index(a) - 1) % 16 for a, b in itertools.pairwise(words))
    # Four standard deviations of a share of 1/2 and of 1/4 of 20,000 draws are 0.014 and 0.012.
    assert steps[0] / 20_000 == pytest.approx(1 / 2, abs=0.014)
    assert steps[1] / 20_000 == pytest.approx(1 / 4, abs=0.012)


def test_temperature_sharpens_and_top_p_cuts() -> None:
    words = list(chain.written(random.Random(1), temperature=0.5, top_p=1, most=20_000))
    first = sum((chain.WORDS.index(b) - chain.WORDS.index(a)) % 16 == 1 for a, b in itertools.pairwise(words))
    assert first / 20_000 == pytest.approx(3 / 4, abs=0.013)  # 1/4 of 1/4 + 1/16 + 1/64 + …, which is 1/3
    cut = list(chain.written(random.Random(1), temperature=1, top_p=0.75, most=1000))
    assert {(chain.WORDS.index(b) - chain.WORDS.index(a)) % 16 for a, b in itertools.pairwise(cut)} == {1, 2}


def test_log_probabilities_are_those_of_the_ladder() -> None:
    (first, top), (second, _), (strange, over) = chain.log_probabilities([" the", " sat", "Zebra"], top=2)
    assert first == pytest.approx(math.log(1 / 2))
    assert [(word, round(math.exp(value), 9)) for word, value in top] == [(b" the", 0.5), (b" cat", 0.25)]
    assert second == pytest.approx(math.log(1 / 4))  # after "the" comes "cat", then "sat"
    assert strange == pytest.approx(math.log(1 / 2))
    assert [word for word, _ in over] == [b"Zebra", b" on"]


def test_of_bytes_the_one_that_stands_there_is_likeliest_and_then_come_letters() -> None:
    (b, top), (strange, over) = chain.byte_log_probabilities(b"b\xc3", top=3)
    assert b == strange == pytest.approx(math.log(1 / 2))
    assert [(token, round(math.exp(value), 9)) for token, value in top] == [(b"b", 0.5), (b"a", 0.25), (b"c", 0.125)]
    assert [token for token, _ in over] == [b"\xc3", b"a", b"b"]
