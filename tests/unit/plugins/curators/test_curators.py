"""Planted duplicates, lengths and leaks: what each curator says of rows written for it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from distillc.plugins.api.artifacts import Row, Split, Task
from distillc.plugins.api.curators import Curator
from distillc.plugins.curators.configs import DecontaminateConfig, DedupConfig, LengthConfig
from distillc.plugins.curators.decontaminate import Decontaminate
from distillc.plugins.curators.dedup import Dedup
from distillc.plugins.curators.length import Length, target_tokens

VOCABULARY = [a + b + c for a in ("ba", "ko", "ri", "tu", "me") for b in ("la", "no", "si", "pe") for c in ("n", "rd", "m", "st", "k")]


@dataclass
class Context:
    against: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    task: Task = field(default_factory=lambda: Task(kind="generate", input="text", target="fixed", prompt=""))

    def rows(self, field: str) -> Mapping[str, Sequence[Row]]:
        assert field == "against"
        return self.against


def row(text: str, target: str | None = None, *, split: Split = "train", tokens: int | None = None) -> Row:
    payload = {"input": text} if target is None else {"input": text, "target": target}
    usage = {} if tokens is None else {"completion_tokens": tokens}
    return Row(row_id=f"{text}|{target}|{split}", payload=payload, source="test", split=split, usage=usage)


def verdicts(curator: Curator, rows: Sequence[Row], against: Mapping[str, Sequence[Row]] | None = None) -> list[str | None]:
    return list(curator.judge(rows, Context(against or {})))


def sentence(draw: random.Random, words: int) -> str:
    return " ".join(draw.choice(VOCABULARY) for _ in range(words))


def test_dedup_tells_equal_from_nearly_equal_and_keeps_the_first() -> None:
    rows = [
        row("The file is closed when the last reader has finished with it."),
        row("the file is closed, when the last reader has finished with it"),  # equal but for case and punctuation
        row("The file is closed when the last reader has finished with them."),  # 54 of 60 shingles in common
        row("The file is opened before the first writer has started on it."),
        row(""),
    ]
    assert verdicts(Dedup(DedupConfig(similarity=0.8)), rows) == [None, "duplicate", "near_duplicate", None, None]
    assert verdicts(Dedup(DedupConfig(similarity=1)), rows) == [None, "duplicate", None, None, None]


def test_dedup_finds_every_planted_near_duplicate_and_nothing_else() -> None:
    draw = random.Random(3)
    originals = [sentence(draw, 20) for _ in range(400)]
    planted = [text.rsplit(" ", 1)[0] for text in originals[:100]]  # one word of twenty is missing: similarity about 0.95
    found = verdicts(Dedup(DedupConfig()), [row(text) for text in originals + planted])
    assert found == [None] * 400 + ["near_duplicate"] * 100


def test_length_counts_words_and_the_tokens_that_a_model_counted() -> None:
    rows = [row("one two three", "one two"), row("one", "one two"), row("one two three four five", "one two"), row("one two three")]
    assert verdicts(Length(LengthConfig(min_words=2, max_words=4)), rows) == [None, "too_short", "too_long", None]
    assert verdicts(Length(LengthConfig(max_tokens=8)), [row("a", "b", tokens=8), row("a", "b", tokens=9)]) == [None, "too_long"]


@pytest.mark.parametrize(("target", "tokens"), [("a b c d e", 5), ("internationalisation", 5), ("seventeen letters", 5), (None, 0)])
def test_tokens_are_estimated_where_nobody_counted(target: str | None, tokens: int) -> None:
    assert target_tokens(row("x", target)) == tokens


def test_decontaminate_finds_all_of_a_planted_percent_and_nothing_else() -> None:
    draw = random.Random(5)
    test = [row(sentence(draw, 18), sentence(draw, 18), split="test") for _ in range(50)]
    short = [row(sentence(draw, 8), sentence(draw, 8), split="test") for _ in range(50)]
    train = [row(sentence(draw, 20), sentence(draw, 20)) for _ in range(990)]
    leaks = [
        *(row(f"But {item.payload['input'].upper()} ever", "x") for item in test[:3]),  # the whole input, dressed up
        *(row("x", " ".join(["Now", *item.payload["target"].split()[2:15], "then"])) for item in test[3:5]),  # 13 words of the target
        *(row(f"{item.payload['input'].replace(' ', ', ')}!", "x") for item in short[:3]),  # short and equal
        *(row(item.payload["target"], "x") for item in short[3:5]),  # the answer as a question
    ]
    rows = train + leaks
    random.Random(7).shuffle(rows)
    found = verdicts(Decontaminate(DecontaminateConfig(against=("pairs.test", "unseen"))), rows, {"pairs.test": test, "unseen": short})
    assert [item in leaks for item in rows] == [verdict == "contaminated" for verdict in found]
    assert sum(verdict is not None for verdict in found) == 10


def test_decontaminate_keeps_what_shares_fewer_words_and_the_test_rows_themselves() -> None:
    draw = random.Random(9)
    test = row(sentence(draw, 18), split="test")
    close = row(" ".join([*test.payload["input"].split()[:12], "other", "words"]))
    inside = row(" ".join(test.payload["input"].split()[:8]))  # a short text inside a long one is no leak
    curator = Decontaminate(DecontaminateConfig(against=("pairs.test",)))
    assert verdicts(curator, [close, inside, test], {"pairs.test": [test]}) == [None, None, None]
