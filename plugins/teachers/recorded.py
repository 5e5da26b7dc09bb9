"""Answers that somebody has already: a file of inputs and answers stands where a model would."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from distillc.compiler.facts.locate import locate
from distillc.plugins.api.artifacts import FINISH_REASONS, ModelInfo
from distillc.plugins.api.models import BuildContext
from distillc.plugins.teachers.configs import RecordedConfig
from distillc.runtimes.given import given
from distillc.runtimes.inference import logprobs
from distillc.runtimes.records import json_lines
from distillc.spec.errors import StageFailed


class Recorded:
    def __init__(self, config: RecordedConfig) -> None:
        self.config = config

    def build(self, out: Path, context: BuildContext) -> ModelInfo:
        """Writes `answers.jsonl`: each input once, in order; `logprobs` as rows have them, empty where they don't spell the answer.

        Raises StageFailed for a record without input or answer, and for an input with two answers.
        """
        with given(context.name):
            file = locate(self.config.path, context.folder)
        answers: dict[str, tuple[str, str]] = {}
        told: dict[str, str] = {}
        for place, record in _records(file, self.config):
            asked, answered = self._text(record, self.config.input, place), self._text(record, self.config.answer, place)
            ended = record.get("finish_reason") or "stop"
            if ended not in FINISH_REASONS:
                raise StageFailed(f"finish_reason is {ended!r}", where=place, help=f"it is one of {', '.join(FINISH_REASONS)}")
            if answers.setdefault(asked, (answered, ended)) != (answered, ended):
                raise StageFailed(f"the input {asked!r} has two answers", where=place, help="keep one of them")
            if (found := _logprobs(record.get("logprobs"), answered)) is not None:
                told.setdefault(asked, b64encode(found).decode())
        records: list[dict[str, str]] = [
            {"input": asked, "answer": answer, "finish_reason": ended} for asked, (answer, ended) in sorted(answers.items())
        ]
        records = [record | ({"logprobs": told[record["input"]]} if record["input"] in told else {}) for record in records]
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        (out / "answers.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        family = (context.family,) if context.family else ()
        return ModelInfo(format="recorded", name=context.name, family=context.family, license=context.license, lineage=family)

    @staticmethod
    def _text(record: Mapping[str, Any], field: str, place: str) -> str:
        value = record.get(field)
        if isinstance(value, str):
            return value
        said = f"field '{field}' must be a text, not {value!r}" if field in record else f"there is no field '{field}'"
        there = ", ".join(sorted(map(str, record)))
        raise StageFailed(said, where=place, help=f"the model's `input` and `answer` name the file's fields; there are {there}")


def _logprobs(told: Any, answer: str) -> bytes | None:
    """None where the record has none of OpenAI's shape: a field of that name may be something else, and whoever asks for them is told."""
    try:
        return logprobs.packed(read, answer) if (read := logprobs.read(told)) else None
    except ValueError:
        return None


def _records(file: Path, config: RecordedConfig) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each record with its place, as errors say it."""
    if file.suffix == ".jsonl":
        yield from ((f"{config.path}:{line}", record) for line, record in json_lines(file, config.path))
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
        columns = [name for name in (config.input, config.answer, "finish_reason", "logprobs") if name in table.schema_arrow.names]
        batches = (batch.to_pylist() for batch in table.iter_batches(columns=columns, use_threads=False))
        number = 0
        for number, record in enumerate((record for batch in batches for record in batch), start=1):
            yield f"{config.path}, row {number}", record
    except (pa.ArrowInvalid, OSError) as error:
        raise StageFailed(f"{config.path} is no Parquet file: {error}", help="give a .jsonl or a .parquet file") from error
