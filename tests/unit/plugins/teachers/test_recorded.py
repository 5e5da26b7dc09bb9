"""Answers that somebody has already: what is taken from a file, what is refused, and how a row finds its answer."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distillc.plugins.api.artifacts import Completion, Decoding, Model
from distillc.plugins.api.models import BuildContext
from distillc.plugins.engines.configs import RecordedConfig as EngineConfig
from distillc.plugins.engines.recorded import RecordedEngine, RunningRecorded
from distillc.plugins.teachers.configs import RecordedConfig
from distillc.plugins.teachers.recorded import Recorded
from distillc.runtimes.inference.logprobs import Candidate, unpack
from distillc.spec.errors import StageFailed

RECORDS = [
    {"text": "He go.", "fixed": "He goes.", "model": "big"},
    {"text": "A a", "fixed": "", "finish_reason": "length"},
    {"text": "He go.", "fixed": "He goes."},
    {"text": 'q"\né', "fixed": "x\u2028y", "finish_reason": None},
]
NAMES = {"input": "text", "answer": "fixed"}


def built(folder: Path, name: str = "a.jsonl", **config: str) -> Model:
    out = folder / "out"
    out.mkdir()
    context = BuildContext(folder=folder, name="them", cache=folder, seed=0, family="gpt", license="MIT")
    return Model(out, Recorded(RecordedConfig(path=name, **config)).build(out, context))


def opened(model: Model) -> RunningRecorded:
    return RecordedEngine(EngineConfig()).open(model, seed=0)


def write(folder: Path, records: list[dict[str, Any]]) -> None:
    (folder / "a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


def said(text: str, reason: str = "stop") -> Completion:
    return Completion(text=text, finish_reason=reason, prompt_tokens=0, completion_tokens=0)


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_an_input_finds_its_answer_letter_by_letter(tmp_path: Path, name: str) -> None:
    write(tmp_path, RECORDS)
    pq.write_table(
        pa.Table.from_pylist(RECORDS, pa.schema([(key, pa.string()) for key in ("text", "fixed", "finish_reason")])), tmp_path / "a.parquet"
    )
    model = built(tmp_path, name, **NAMES)
    assert (model.info.format, model.info.family, model.info.license) == ("recorded", "gpt", "MIT")
    inputs = ['q"\né', "He go.", "A a", "He go."]
    found = dict(opened(model).generate(["prompt"] * 4, inputs, Decoding()))
    assert found == {0: said("x\u2028y"), 1: said("He goes."), 2: said("", "length"), 3: said("He goes.")}


def test_the_order_of_the_file_does_not_matter(tmp_path: Path) -> None:
    bytes_of = []
    for number, records in enumerate((RECORDS, RECORDS[::-1])):
        folder = tmp_path / str(number)
        folder.mkdir()
        write(folder, records)
        bytes_of.append((built(folder, **NAMES).folder / "answers.jsonl").read_bytes())
    assert bytes_of[0] == bytes_of[1]


def test_rows_without_an_answer_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    write(tmp_path, RECORDS)
    with pytest.raises(StageFailed, match=r"2 of 3 rows have no answer in `them`; the first: 'he go\.'") as failed:
        list(opened(built(tmp_path, **NAMES)).generate([""] * 3, ["A a", "he go.", "He go. "], Decoding()))
    assert failed.value.help is not None


@pytest.mark.parametrize(
    ("record", "where", "message"),
    [
        ({"text": "a"}, "a.jsonl:2", "there is no field 'fixed'"),
        ({"text": 3, "fixed": "a"}, "a.jsonl:2", "field 'text' must be a text, not 3"),
        ({"text": "a", "fixed": "b", "finish_reason": "eos"}, "a.jsonl:2", "finish_reason is 'eos'"),
        ({"text": "He go.", "fixed": "He went."}, "a.jsonl:2", "the input 'He go.' has two answers"),
    ],
)
def test_a_bad_record_is_named(tmp_path: Path, record: Mapping[str, Any], where: str, message: str) -> None:
    write(tmp_path, [RECORDS[0], dict(record)])
    with pytest.raises(StageFailed, match=message) as failed:
        built(tmp_path, **NAMES)
    assert failed.value.where == where
    assert failed.value.help is not None


def test_a_file_that_is_no_parquet_and_one_that_is_not_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "b.parquet").write_bytes(b"text")
    with pytest.raises(StageFailed, match=r"b\.parquet is no Parquet file"):
        built(tmp_path, "b.parquet")
    (tmp_path / "out").rmdir()
    with pytest.raises(StageFailed, match=r"c\.jsonl does not exist"):
        built(tmp_path, "c.jsonl")


def told(*tokens: str) -> dict[str, Any]:
    others = [{"token": "It", "bytes": [73, 116], "logprob": -3.0}, {"token": "We", "bytes": [87, 101], "logprob": -4.0}]
    return {"content": [{"token": token, "bytes": list(token.encode()), "logprob": -0.5, "top_logprobs": others} for token in tokens]}


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_log_probabilities_are_recorded_with_the_answer_and_told_where_they_are_asked_for(tmp_path: Path, name: str) -> None:
    records = [
        {"input": "a", "answer": "He goes.", "logprobs": told("He", " goes", ".")},
        {"input": "b", "answer": "He went.", "logprobs": told("He", " goes", ".")},
    ]
    write(tmp_path, records)
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "a.parquet")
    running = opened(built(tmp_path, name))
    assert dict(running.generate([""], ["a"], Decoding())) == {0: said("He goes.")}
    found = dict(running.generate([""] * 2, ["a", "b"], Decoding(top_logprobs=1)))
    positions, by_text = unpack(found[0].logprobs)
    assert positions == [[Candidate(token, -0.5), Candidate(b"It", -3.0)] for token in (b"He", b" goes", b".")]
    assert not by_text
    assert found[1].logprobs == b"", "these tokens spell another answer"


def test_answers_without_log_probabilities_are_counted_where_they_are_asked_for(tmp_path: Path) -> None:
    write(tmp_path, [{"input": "a", "answer": "b"}, {"input": "c", "answer": "d", "logprobs": told("d")}])
    with pytest.raises(StageFailed, match=r"1 of 2 answers in `them` come without `logprobs` as OpenAI writes them; the first: 'a'"):
        list(opened(built(tmp_path)).generate([""] * 2, ["a", "c"], Decoding(top_logprobs=5)))


def test_a_field_of_another_shape_is_none_of_them_and_harms_nobody_who_does_not_ask(tmp_path: Path) -> None:
    write(tmp_path, [{"input": "a", "answer": "b", "logprobs": [-0.5, -1.0]}])
    running = opened(built(tmp_path))
    assert dict(running.generate([""], ["a"], Decoding())) == {0: said("b")}
    with pytest.raises(StageFailed, match="1 of 1 answers in `them` come without"):
        list(running.generate([""], ["a"], Decoding(top_logprobs=5)))
