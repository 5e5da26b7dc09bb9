"""A panel that is a table: a row for each case, a column for each model. What is kept of it, by hand."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from distillc.plugins.api.artifacts import Completion, Model, ModelInfo, Row
from distillc.plugins.api.metrics import Item
from distillc.plugins.generators.answer import Answer, same
from distillc.plugins.generators.configs import AnswerConfig
from tests.unit.plugins.generators import test_answer

NAMES = ("a", "b", "c", "d")
CUT, REFUSED, EMPTY, BROKEN = "cut", "refused", "", "broken"
ENDS = {CUT: "length", REFUSED: "refusal", BROKEN: "error"}


def said(text: str, place: int) -> Completion:
    """An answer of so many tokens that each model has a decimal digit of its own."""
    return Completion(
        text=text, finish_reason=ENDS.get(text, "stop"), prompt_tokens=5, completion_tokens=10**place, reasoning=f"{text}?" if text else ""
    )


class Panel(test_answer.Context):
    def __init__(self, *table: Sequence[str], scores: Sequence[float] = ()) -> None:
        super().__init__()
        self.table = table
        self.rows = [Row(row_id=f"r{i}", payload={"input": f"in {i}", "reasoning": "old"}, source="s") for i in range(len(table))]
        self.scores = scores
        self.judged: list[Item] = []
        self.lost: Counter[tuple[str, str]] = Counter()

    def ports(self, field: str) -> Sequence[str]:
        return [f"{field}.{place}" for place in range(len(self.table[0]))]

    def model(self, port: str) -> Model:
        return Model(Path(), ModelInfo(format="api", name=NAMES[int(port[-1])]))

    def answer(self, port: str, rows: Sequence[Row], *, top_logprobs: int = 0) -> Iterator[tuple[Row, Completion]]:
        place = int(port[-1])
        yield from ((row, said(texts[place], place)) for row, texts in zip(rows, self.table, strict=True))

    def lose(self, port: str, reason: str) -> None:
        self.lost[NAMES[int(port[-1])], reason] += 1

    def score(self, field: str, items: Sequence[Item]) -> Sequence[float]:
        assert field == "judge"
        self.judged = list(items)
        return self.scores

    def kept(self, keep: str, **more: Any) -> list[tuple[str, str | None, str]]:
        config = AnswerConfig.model_validate({"model": NAMES[: len(self.table[0])], "keep": keep, **more})
        self.made = list(Answer(config).generate(self.rows, self))
        return [(row.parents[0], row.teacher, row.payload["target"]) for row in self.made]


def test_agreement_is_more_than_half_of_all_that_were_asked() -> None:
    panel = Panel(
        ("x", "y", "x"),
        ("y", "x", "x"),
        ("x", "y", "z"),
        ("x", CUT, "x"),
        (REFUSED, "x", "y"),
        (REFUSED, EMPTY, "x"),
        (BROKEN, CUT, REFUSED),
        (REFUSED, REFUSED, REFUSED),
    )
    assert panel.kept("agreement") == [("r0", "a", "x"), ("r1", "b", "x"), ("r3", "a", "x")]
    assert panel.dropped == [
        ("r2", "disagreement"),
        ("r4", "disagreement"),
        ("r5", "disagreement"),
        ("r6", "broken"),  # no answer at all: the reason is the first model's
        ("r7", "refused"),
    ]
    assert [dict(row.usage) for row in panel.made] == [{"prompt_tokens": 15, "completion_tokens": 111}] * 3
    assert panel.lost == {
        ("a", "refused"): 3, ("a", "broken"): 1, ("b", "truncated"): 2, ("b", "empty"): 1, ("b", "refused"): 1, ("c", "refused"): 2,
    }  # fmt: skip
    assert all("reasoning" not in row.payload for row in panel.made)


def test_half_of_an_even_panel_is_no_agreement_and_a_tie_is_none_whatever_is_asked() -> None:
    table = (("x", "x", "y", "z"), ("x", "x", "y", "y"), ("x", "y", "x", "x"), ("x", "x", "x", "x"))
    assert [row for row, _, _ in Panel(*table).kept("agreement")] == ["r2", "r3"]
    assert [row for row, _, _ in Panel(*table).kept("agreement", agree=2)] == ["r0", "r2", "r3"]
    assert [row for row, _, _ in Panel(*table).kept("agreement", agree=4)] == ["r3"]


def test_texts_agree_whatever_their_white_space_and_the_row_has_the_first_as_it_was_written() -> None:
    panel = Panel(("z", " It  goes.\n", "It\u00a0goes."), ("caf\u00e9", "cafe\u0301", "cafe"), ("Yes", "yes", "YES"))
    assert panel.kept("agreement") == [("r0", "b", "It  goes."), ("r1", "a", "caf\u00e9")]
    assert same("a\tb\r\n c") == "a b c"


def test_what_was_cut_off_has_a_vote_where_it_is_kept() -> None:
    panel = Panel((CUT, CUT, "x"))
    assert panel.kept("agreement", truncated="keep") == [("r0", "a", CUT)]
    assert panel.made[0].finish_reason == "length"


def test_the_best_is_the_judges_and_of_equals_the_first() -> None:
    nan = math.nan
    panel = Panel(
        ("p", "q", "r"), ("p", "q", "r"), (REFUSED, "q", "r"), (REFUSED, CUT, EMPTY), ("p", "q", "r"), ("p", "q", "r"),
        scores=(1, 3, 2, 2, 2, 2, 5, 5, nan, -1, nan, nan, nan, nan),
    )  # fmt: skip
    assert panel.kept("best", judge="harper") == [("r0", "b", "q"), ("r1", "a", "p"), ("r2", "b", "q"), ("r4", "b", "q")]
    assert panel.dropped == [("r3", "refused"), ("r5", "unjudged")]
    assert [(item.row_id, item.input, item.output) for item in panel.judged[6:8]] == [("r2", "in 2", "q"), ("r2", "in 2", "r")]
    assert len(panel.judged) == 14
    assert panel.made[2].usage["completion_tokens"] == 111


def test_all_makes_a_row_of_each_answer_with_an_id_and_a_bill_of_its_own() -> None:
    panel = Panel(("x", "x", "y"), (REFUSED, "y", BROKEN), (CUT, REFUSED, REFUSED))
    assert panel.kept("all") == [("r0", "a", "x"), ("r0", "b", "x"), ("r0", "c", "y"), ("r1", "b", "y")]
    assert panel.dropped == [("r2", "truncated")]
    assert [row.usage["completion_tokens"] for row in panel.made] == [1, 10, 100, 10]
    assert len({row.row_id for row in panel.made}) == 4
    alone = Answer(AnswerConfig(model="b")).generate(panel.rows[1:2], Alone(("y",)))
    assert next(alone).row_id == panel.made[3].row_id, "an answer has the same id whoever else is asked"


class Alone(Panel):
    def ports(self, field: str) -> Sequence[str]:
        return ["model.1"]

    def answer(self, port: str, rows: Sequence[Row], *, top_logprobs: int = 0) -> Iterator[tuple[Row, Completion]]:
        yield from ((row, said("y", 1)) for row in rows)


@pytest.mark.parametrize(("reasoning", "expected"), [("keep", "x?"), ("drop", None)])
def test_the_thoughts_kept_are_those_before_the_answer_that_is_kept(reasoning: str, expected: str | None) -> None:
    panel = Panel(("y", "x", "x"))
    panel.kept("agreement", reasoning=reasoning)
    assert panel.made[0].payload.get("reasoning") == expected
