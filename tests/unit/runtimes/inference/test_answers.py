"""The journal of answers: what is whole counts, what is torn does not, whatever byte the kill came at."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest

from distillc.plugins.api.artifacts import Completion, Decoding
from distillc.plugins.api.engines import Running
from distillc.runtimes.inference.answers import AnswerJournal, answer_each, answer_key, read_answers, row_in

ANSWERS = {
    f"key {i}": Completion(text=f"answer ü {i}" * i, finish_reason="stop", prompt_tokens=i, completion_tokens=2 * i) for i in range(4)
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    journal = AnswerJournal(tmp_path / "journal")
    for key, answer in ANSWERS.items():
        journal.append(key, answer)
    journal.close()
    return tmp_path / "journal"


def opened(path: Path) -> dict[str, Completion]:
    journal = AnswerJournal(path)
    journal.close()
    return journal.answers


def test_what_was_appended_is_there_again(path: Path) -> None:
    assert opened(path) == ANSWERS


def test_cut_at_any_byte_it_holds_the_whole_records_before_and_goes_on(path: Path) -> None:
    data = path.read_bytes()
    counts = []
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        journal = AnswerJournal(path)
        held = dict(journal.answers)
        assert list(held.items()) == list(ANSWERS.items())[: len(held)]
        journal.append("after", ANSWERS["key 1"])
        journal.close()
        assert opened(path) == {**held, "after": ANSWERS["key 1"]}
        counts.append(len(held))
    assert counts == sorted(counts)
    assert (counts[0], counts[-2], counts[-1]) == (0, 3, 4)


def test_a_changed_byte_ends_what_counts(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    assert list(opened(path)) == ["key 0", "key 1", "key 2"]


def test_a_length_beyond_the_file_is_a_torn_record(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\xff\xff\xff\x7f\x00\x00\x00\x00{}")
    assert opened(path) == ANSWERS


def test_what_another_process_is_writing_is_read_and_stays_as_it_is(path: Path) -> None:
    """The reader comes in the middle of the last record, whose rest the writer then writes."""
    data = path.read_bytes()
    path.write_bytes(data[:-5])
    assert [key for key, _ in read_answers(path)] == ["key 0", "key 1", "key 2"]
    with path.open("ab") as file:
        file.write(data[-5:])
    assert dict(read_answers(path)) == opened(path) == ANSWERS


def test_keys_tell_fields_rows_and_prompts_apart() -> None:
    keys = {answer_key(field, row, prompt) for field in ("a", "b") for row in ("1", "2") for prompt in ("x", "y")}
    assert len(keys) == 8
    assert {row_in(key) for key in keys} == {"1", "2"}


class Far:
    """A model elsewhere, which answers in an order of its own and remembers what it was asked."""

    def __init__(self, dies_after: int = 99) -> None:
        self.asked: list[str] = []
        self.dies_after = dies_after

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        for index in reversed(range(len(prompts))):
            if len(self.asked) == self.dies_after:
                raise KeyboardInterrupt
            self.asked.append(prompts[index])
            yield index, Completion(text=inputs[index].upper(), finish_reason="stop", prompt_tokens=1, completion_tokens=1)


@pytest.mark.parametrize("dies_after", range(6))
def test_each_answer_from_elsewhere_counts_for_itself(tmp_path: Path, dies_after: int) -> None:
    keys, prompts = list("vwxyz"), [f"{letter}?" for letter in "abcde"]
    first, second = Far(dies_after), Far()
    with contextlib.suppress(KeyboardInterrupt):
        ask(first, tmp_path, keys, prompts)
    answers, fresh = ask(second, tmp_path, keys, prompts)
    assert sorted(first.asked + second.asked) == prompts
    assert {key: answer.text for key, answer in answers.items()} == dict(zip(keys, "ABCDE", strict=True))
    assert sum(map(len, fresh)) == 5 - min(dies_after, 5)
    assert all(len(group) <= 2 for group in fresh)


def ask(far: Far, folder: Path, keys: list[str], prompts: list[str]) -> tuple[dict[str, Completion], list[list[Completion]]]:
    journal = AnswerJournal(folder / "journal")
    try:
        inputs = [prompt[0] for prompt in prompts]
        return journal.answers, list(answer_each(cast(Running, far), keys, prompts, inputs, Decoding(), journal, 2))
    finally:
        journal.close()


def test_packed_log_probabilities_survive_the_journal(tmp_path: Path) -> None:
    said = Completion(text="é", finish_reason="stop", prompt_tokens=1, completion_tokens=1, logprobs=bytes(range(256)))
    journal = AnswerJournal(tmp_path / "journal")
    journal.append("a", said)
    journal.close()
    assert AnswerJournal(tmp_path / "journal").answers == {"a": said}
