"""Items of an evaluation: answers of several models to the same rows, and the numbers that metrics make of them, on disk.

`items.parquet` has a row for each model, data set and item: what went in, what came out, the references, and a list of numbers
for each metric or judge. `summary.json` has the values: {data: {model: {name: {"value", "n", "low", "high", "failed"}}}}.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from distillc.plugins.api.metrics import Item, Metric
from distillc.runtimes.proof.statistics import Floats, Interval, Sample, apart, interval, resample
from distillc.runtimes.stages.context import StageContext
from distillc.spec.errors import StageFailed

ITEMS, SUMMARY, DIFFERENCES = "items.parquet", "summary.json", "differences.json"


@dataclass(frozen=True, slots=True)
class Answers:
    """What one model said to one data set, in the order of the first model's rows."""

    data: str
    model: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """The numbers of one metric for one set of answers, shape (items, d). `column` is the metric's or judge's name."""

    answers: Answers
    column: str
    statistics: Floats


def answers_of(context: StageContext, *, references: bool) -> Iterator[Answers]:
    """All answers, data set by data set. Raises StageFailed for an empty set, rows without gold and models that differ in rows."""
    for data in context.config["data"]:
        first: list[str] | None = None
        for model in context.config["models"]:
            found = {item.row_id: item for item in _items(context, data, model, references=references)}
            if first is None:
                first = list(found)
                if not first:
                    raise StageFailed(
                        f"data set {data!r} has no rows to evaluate on", where=context.stage.id, help="give its source a `test` split"
                    )
            if found.keys() != set(first):
                raise StageFailed(
                    f"{model!r} answered other rows of {data!r} than {context.config['models'][0]!r} did",
                    where=context.stage.id,
                    help="run again; if it stays so, `distillc verify` tells what is damaged",
                )
            yield Answers(data, model, tuple(found[row_id] for row_id in first))


def _items(context: StageContext, data: str, model: str, *, references: bool) -> Iterator[Item]:
    for row in context.rows(f"answers.{model}.{data}"):
        gold = row.payload.get("references") or ([row.payload["target"]] if row.payload.get("target") is not None else [])
        if references and not gold:
            raise StageFailed(
                f"row {row.row_id} of {data!r} has no gold to compare with",
                where=context.stage.id,
                help="metrics need references: evaluate on rows that keep theirs (`gold: keep`), or use a judge",
            )
        # The answer's id hangs on its model; the row it answers is its parent.
        key = row.parents[0] if row.parents else row.row_id
        yield Item(key, str(row.payload["input"]), str(row.payload["output"]), tuple(map(str, gold)), row.group)


def write_items(path: Path, scored: Sequence[Scored]) -> None:
    """One Parquet file; the sets of answers in their order, the columns of numbers by name."""
    columns = list(dict.fromkeys(part.column for part in scored))
    sets: dict[tuple[str, str], dict[str, Scored]] = {}
    for part in scored:
        sets.setdefault((part.answers.data, part.answers.model), {})[part.column] = part
    records: dict[str, list[Any]] = {name: [] for name in ("data", "model", "row_id", "group", "input", "output", "references", *columns)}
    for (data, model), parts in sets.items():
        for index, item in enumerate(next(iter(parts.values())).answers.items):
            records["data"].append(data)
            records["model"].append(model)
            for name in ("row_id", "group", "input", "output"):
                records[name].append(getattr(item, name))
            records["references"].append(list(item.references))
            for column in columns:
                records[column].append(parts[column].statistics[index].tolist())
    numbers = pa.list_(pa.float64())
    texts = [(name, pa.string()) for name in ("data", "model", "row_id", "group", "input", "output")]
    schema = pa.schema([*texts, ("references", pa.list_(pa.string())), *((column, numbers) for column in columns)])
    pq.write_table(pa.table(records, schema=schema), path, compression="zstd")


def read_numbers(path: Path, data: str, model: str, column: str) -> tuple[list[str], list[str], Floats]:
    """Row ids, groups and numbers (items, d) of one model on one data set. Raises StageFailed when they are not there."""
    table = pq.read_table(path, columns=["row_id", "group", column], filters=[("data", "=", data), ("model", "=", model)])
    if not table.num_rows:
        raise StageFailed(f"the evaluation has nothing of {model!r} on {data!r}", help="add the model to the evaluation's `models`")
    numbers = np.array(table[column].to_pylist(), dtype=np.float64)
    return table["row_id"].to_pylist(), table["group"].to_pylist(), numbers


def summarize(scored: Sequence[Scored], metrics: Mapping[str, Metric], seed: int) -> dict[str, Any]:
    """{data: {model: {name: interval}}}; names are COLUMN_VALUE, or COLUMN for a metric with one value."""
    summary: dict[str, Any] = {}
    for part in scored:
        values = summary.setdefault(part.answers.data, {}).setdefault(part.answers.model, {})
        found = interval(metrics[part.column].aggregate, part.statistics, _groups(part.answers), seed)
        values |= {value_name(part.column, name): plain(value) for name, value in found.items()}
    return summary


def all_differences(scored: Sequence[Scored], metrics: Mapping[str, Metric], seed: int) -> dict[str, Any]:
    """{data: {model: {other: {name: {"value", "low", "high", "n"}}}}} for every later model of the list minus every earlier one."""
    samples: dict[tuple[str, str], dict[str, Sample]] = {}
    for part in scored:
        if not np.isnan(part.statistics).any():  # where a verdict failed, only the gate that asks pairs what is left
            sample = resample(metrics[part.column].aggregate, part.statistics, _groups(part.answers), seed)
            samples.setdefault((part.answers.data, part.column), {})[part.answers.model] = sample
    found: dict[str, Any] = {}
    for (data, column), models in samples.items():
        names = list(models)
        for index, model in enumerate(names):
            for other in names[:index]:
                place = found.setdefault(data, {}).setdefault(model, {}).setdefault(other, {})
                for name in models[model].whole:
                    gap = apart(models[model], models[other], name)
                    place[value_name(column, name)] = _sayable({"value": gap.value, "low": gap.low, "high": gap.high, "n": gap.n})
    return found


def _groups(answers: Answers) -> list[str]:
    return [item.group for item in answers.items]


def value_name(column: str, name: str) -> str:
    return f"{column}_{name}" if name else column


def plain(value: Interval) -> dict[str, Any]:
    """As JSON can say it."""
    return _sayable(asdict(value))


def _sayable(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN and no infinity: a value that does not exist is null."""
    return {key: None if isinstance(number, float) and not math.isfinite(number) else number for key, number in numbers.items()}


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
