"""Answers the rows of a batch's file: an output file and an error file, in the envelope of the dialect."""

import contextlib
import json
import mmap
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distillc.testing.server.chat import complete, encoded, fingerprint
from distillc.testing.server.refused import Refused
from distillc.testing.server.script import Batches, Dialect, Script

MOST_ROWS: Mapping[Dialect, int] = {"openai": 50_000, "nebius": 5_000_000, "generic": 50_000}


@dataclass(slots=True)
class Answered:
    """What became of a batch's rows. `wrong`: why the whole file is refused, line by line."""

    total: int = 0
    completed: int = 0
    failed: int = 0
    wrong: list[dict[str, object]] = field(default_factory=list)
    replies: list[tuple[str, int, int]] = field(default_factory=list)  # model, prompt and completion tokens


@dataclass(frozen=True, slots=True)
class Work:
    source: Path
    output: Path
    errors: Path
    script: Script
    dialect: Dialect
    created: int
    override: Mapping[str, object]
    serves: Callable[[object], bool]


def prepare(work: Work) -> Answered:
    """Reads the file and answers its rows as far as the batch will come unless it is cancelled."""
    answered = check(work)
    ends = work.script.batches.ends
    if not answered.wrong and ends in ("completed", "expired"):
        answer(work, answered, 1.0 if ends == "completed" else work.script.batches.done, f"batch_{ends}")
    return answered


def check(work: Work) -> Answered:
    """Reads the file as a provider does before it accepts it."""
    answered, ids, models = Answered(), Counter[object](), set[object]()
    with work.source.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            answered.total += 1
            try:
                row = json.loads(line)
                ids[row["custom_id"]] += 1
                models.add(row["body"]["model"])
            except (ValueError, KeyError, TypeError):
                answered.wrong.append(_wrong("invalid_json_line", "This line is not a batch request.", number))
                continue
            if work.dialect == "openai" and ids[row["custom_id"]] == 2:
                answered.wrong.append(_wrong("duplicate_custom_id", f"The custom_id {row['custom_id']!r} is used twice.", number))
            if work.dialect == "openai" and row.get("method") != "POST":
                answered.wrong.append(_wrong("invalid_method", "The method must be POST.", number))
    if not answered.total:
        answered.wrong.append(_wrong("empty_file", "The input file has no requests.", None))
    if answered.total > MOST_ROWS[work.dialect]:
        answered.wrong.append(_wrong("too_many_requests", f"A batch takes up to {MOST_ROWS[work.dialect]} requests.", None))
    answered.wrong += [
        _wrong("model_not_found", f"The model {model!r} does not exist.", None) for model in models if not work.serves(model)
    ]
    if len(models) > 1:
        answered.wrong.append(_wrong("model_mismatch", "All requests of a batch name the same model.", None))
    return answered


def _wrong(code: str, message: str, line: int | None) -> dict[str, object]:
    return {"code": code, "message": message, "line": line, "param": None}


def answer(work: Work, answered: Answered, part: float, unanswered: str) -> None:
    """Writes both files: answers to `part` of the rows, and for the others an error called `unanswered`, where the dialect tells one."""
    habits = work.script.batches
    answered.completed, answered.failed = 0, 0
    answered.replies.clear()
    with contextlib.ExitStack() as opened:
        source, output, errors = (
            opened.enter_context(path.open(mode)) for path, mode in ((work.source, "rb"), (work.output, "wb"), (work.errors, "wb"))
        )
        text = opened.enter_context(mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ))
        lines = _lines(text)
        if habits.shuffled:
            random.Random(work.script.seed).shuffle(lines)
        share, fates = round(part * len(lines)), _fates(habits)
        for place, (start, end) in enumerate(lines):
            raw = text[start:end]
            if place < share:
                _row(work, answered, raw, next(fates, ""), place, output, errors)
            elif work.dialect != "nebius":
                _write(errors, _envelope(json.loads(raw)["custom_id"], place, None, {"code": unanswered, "message": "Not answered."}))
                answered.failed += 1


def _lines(text: mmap.mmap) -> list[tuple[int, int]]:
    lines, start, size = [], 0, len(text)
    while start < size:
        end = text.find(b"\n", start)
        end = size if end < 0 else end
        lines.append((start, end))
        start = end + 1
    return lines


def _fates(habits: Batches) -> Iterator[str]:
    for name in ("errors", "errors_inside", "missing", "doubled", "without_id", "broken"):
        for _ in range(getattr(habits, name)):
            yield name


def _row(work: Work, answered: Answered, raw: bytes, fate: str, place: int, output: Any, errors: Any) -> None:
    row = json.loads(raw)
    body = {**row["body"], **work.override}
    try:
        if fate.startswith("errors"):
            raise Refused(400, "The server was told to fail.", code="told_to_fail")
        reply = complete(body, work.script, work.dialect, fingerprint(work.script.seed, raw), work.created)
    except Refused as refused:
        answered.failed += 1
        _write(output if fate == "errors_inside" else errors, _failed(work.dialect, row["custom_id"], place, refused))
        return
    usage: Any = reply["usage"]
    answered.completed += 1
    answered.replies.append((str(reply["model"]), usage["prompt_tokens"], usage["completion_tokens"]))
    line = _envelope(row["custom_id"], place, reply if work.dialect == "nebius" else _http(200, place, reply), None)
    if fate == "without_id":
        del line["custom_id"]
    if fate == "broken":
        output.write(encoded(line).encode()[:-40] + b"\n")
    elif fate != "missing":
        _write(output, line)
    if fate == "doubled":
        _write(output, {**line, "id": f"batch_req_again_{place}"})


def _failed(dialect: Dialect, custom_id: object, place: int, refused: Refused) -> dict[str, object]:
    if dialect == "nebius":
        return _envelope(custom_id, place, None, {"code": str(refused.status), "message": refused.message})
    return _envelope(custom_id, place, _http(refused.status, place, refused.body(dialect)), None)


def _http(status: int, place: int, body: Mapping[str, object]) -> dict[str, object]:
    return {"status_code": status, "request_id": f"req_{place:032x}", "body": body}


def _envelope(
    custom_id: object, place: int, response: Mapping[str, object] | None, error: Mapping[str, object] | None
) -> dict[str, object]:
    return {"id": f"batch_req_{place:032x}", "custom_id": custom_id, "response": response, "error": error}


def _write(file: Any, line: Mapping[str, object]) -> None:
    file.write(encoded(line).encode() + b"\n")
