"""Estimates are bounds that follow from limits and splits, and None where nothing follows."""

from typing import Any

import pytest

from distillc.compiler.estimate import Estimates, train_steps
from distillc.compiler.plan import Input, Stage


def stage(kind: str, config: dict[str, Any], **inputs: Input) -> Stage:
    return Stage("s", kind, "x", config, inputs, "key")


def rows(counts: dict[str, dict[str, int | None]], made: Stage) -> tuple[int | None, int | None]:
    found = Estimates(dict(counts)).of(made).estimate
    return found.rows, found.tokens


SPLIT: dict[str, dict[str, int | None]] = {"d": {"train": 1000, "validation": 20, "test": 30}, "u": {"train": None, "test": 30}}
GENERATE = {"skip": 0, "limit": None, "decoding": {"max_tokens": 64}}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (stage("ingest", {"limit": 500}), (500, None)),
        (stage("ingest", {}), (None, None)),
        (stage("split", {"validation": 100, "test": 200}, rows=Input("d", "train")), (1000, None)),
        (stage("generate", {**GENERATE, "limit": 400}, rows=Input("d")), (400 + 20 + 30, None)),
        (stage("generate", {**GENERATE, "skip": 900, "limit": 400}, rows=Input("d")), (100 + 20 + 30, None)),
        (stage("generate", {**GENERATE, "limit": 400}, rows=Input("d", "test")), (30, None)),
        (stage("generate", {**GENERATE, "limit": 400}, rows=Input("u")), (400 + 30, None)),
        (stage("generate", GENERATE, rows=Input("u")), (None, None)),
        (stage("generate", {**GENERATE, "engine": {"uses": "e"}}, rows=Input("d", "test")), (30, 30 * 64)),
        (stage("generate", {**GENERATE, "limit": 7, "under_test": True}, rows=Input("d", "test")), (7, None)),
        (stage("generate", {**GENERATE, "limit": 70, "under_test": True}, rows=Input("d", "test")), (30, None)),
        (stage("curate", {}, rows=Input("d", "validation")), (20, None)),
        (stage("train", {}, rows=Input("d", "train")), (1000, None)),
        (stage("measure", {"models": ["a", "b"], "prompts": 16, "tokens": 32, "rounds": 3}, rows=Input("d")), (None, 2 * 16 * 32 * 3)),
        (stage("evaluate", {}, **{"answers.a.x": Input("d", "test"), "answers.b.x": Input("d", "test")}), (60, None)),
        (stage("gate", {}, evaluation=Input("d")), (None, None)),
    ],
)
def test_bounds(made: Stage, expected: tuple[int | None, int | None]) -> None:
    assert rows(SPLIT, made) == expected


def test_a_config_class_speaks_for_itself() -> None:
    said = {"rows": 7, "seconds": 2.5}
    found = Estimates({}, lambda kind, name, config, inputs: said if kind == "sources" else {}).of(stage("ingest", {}))
    assert (found.estimate.rows, found.estimate.seconds) == (7, 2.5)


@pytest.mark.parametrize(
    ("config", "rows", "steps"),
    [
        ({"steps": 300, "batch": 16, "epochs": 3.0}, None, 300),
        ({"steps": None, "batch": 16, "epochs": 3.0}, 800, 150),
        ({"steps": None, "batch": 16, "epochs": 1.0}, 801, 51),
        ({"steps": None, "batch": 16, "epochs": 1.0}, None, None),
    ],
)
def test_steps_of_training(config: dict[str, Any], rows: int | None, steps: int | None) -> None:
    assert train_steps(config, rows) == steps
