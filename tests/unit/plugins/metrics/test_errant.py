"""ERRANT's counts against errant's own command, on sentences that hold what its rules are about."""

import contextlib
import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from errant.commands import compare_m2

from distillc.plugins.api.metrics import Item
from distillc.plugins.metrics.configs import ErrantConfig
from distillc.plugins.metrics.errant import Errant, annotator, best

SENTENCES = [  # source, output, reference
    ("She go to school yesterday .", "She goes to school yesterday .", "She went to school yesterday ."),
    ("He dont like apple .", "He doesn't like apples .", "He does n't like apples ."),
    ("I has been here since five years .", "I have been here for five years .", "I have been here for five years ."),
    ("There is many book on the table .", "There is many book on the table .", "There are many books on the table ."),
    ("Nothing is wrong here .", "Nothing is wrong here .", "Nothing is wrong here ."),
    ("Nothing is wrong here .", "Nothing are wrong here .", "Nothing is wrong here ."),
    ("The informations was usefull for me and them", "The information was useful for me", "The information was useful for me and them ."),
    ("recieve the the function", "Receive the function", "Receive the function ."),
]  # fmt: skip


@pytest.fixture(scope="module")
def errant() -> Errant:
    return Errant(ErrantConfig())


def items() -> list[Item]:
    return [Item(str(number), source, output, (reference,)) for number, (source, output, reference) in enumerate(SENTENCES)]


def m2(pairs: list[tuple[str, str]]) -> str:
    """An M2 file as errant_parallel writes it, texts tokenized by the parser (-tok)."""
    blocks = []
    for source, text in pairs:
        orig, cor = annotator().parse(source, tokenise=True), annotator().parse(text, tokenise=True)
        lines = ["S " + " ".join(token.text for token in orig)]
        edits = [] if source == text else annotator().annotate(orig, cor)
        lines += [edit.to_m2(0) for edit in edits] or ["A -1 -1|||noop|||-NONE-|||REQUIRED|||-NONE-|||0"]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def test_counts_and_scores_are_those_of_errant_compare(errant: Errant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hyp.m2").write_text(m2([(source, output) for source, output, _ in SENTENCES]), "utf-8")
    (tmp_path / "ref.m2").write_text(m2([(source, reference) for source, _, reference in SENTENCES]), "utf-8")
    monkeypatch.setattr(sys, "argv", ["errant_compare", "-hyp", str(tmp_path / "hyp.m2"), "-ref", str(tmp_path / "ref.m2")])
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        compare_m2.main()
    numbers = re.search(r"TP\s+FP\s+FN.*\n(\d+)\s+(\d+)\s+(\d+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)", said.getvalue())
    assert numbers, said.getvalue()
    totals = errant.statistics(items()).sum(0)
    values = errant.aggregate(totals, np.float64(len(SENTENCES)))  # type: ignore[arg-type]
    assert totals.tolist() == [float(numbers[k]) for k in (1, 2, 3)]
    assert [round(float(values[name]), 4) for name in ("precision", "recall", "f0.5")] == [float(numbers[k]) for k in (4, 5, 6)]


def test_one_sentence_by_hand(errant: Errant) -> None:
    # go -> went and a -> the are wanted; the output makes the first and a wrong third one.
    item = Item("1", "She go to a school now", "She went to a school today", ("She went to the school now",))
    assert errant.statistics([item]).tolist() == [[1, 1, 1]]


def test_an_output_equal_to_its_input_makes_no_edit(errant: Errant) -> None:
    item = Item("1", "He dont like it .", "He dont  like it . \n", ("He doesn't like it .",))
    true, false, missed = errant.statistics([item])[0]
    assert (true, false) == (0, 0)
    assert missed > 0


def test_of_several_references_the_best_counts(errant: Errant) -> None:
    item = Item("1", "She go home .", "She went home .", ("She goes home .", "She went home ."))
    assert errant.statistics([item]).tolist() == [[1, 0, 0]]


def test_equal_scores_prefer_more_true_edits() -> None:
    from collections import Counter

    made = Counter({(0, 1, "a"): 1})
    assert best(made, [Counter({(3, 4, "b"): 1}), Counter({(0, 1, "a"): 1, (3, 4, "b"): 1})]) == (1, 0, 1)


def test_values_without_any_edit(errant: Errant) -> None:
    values = errant.aggregate(np.zeros((2, 3)), np.ones(2))  # errant_compare: precision and recall are 1 where nothing can be wrong
    assert values["f0.5"].tolist() == [1.0, 1.0]
