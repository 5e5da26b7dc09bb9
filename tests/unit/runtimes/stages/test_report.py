"""The report stage reads what evaluate, judge, gate, measure and train wrote, through their own code."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distillc.compiler.plan import Input, Stage
from distillc.plugins.api.metrics import Item
from distillc.plugins.registry import load
from distillc.runtimes.proof.items import Answers, Scored, write_items
from distillc.runtimes.stages import report
from distillc.runtimes.stages.context import Artifact, StageContext


def wrote(folder: Path, **files: Any) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def measured(value: float) -> dict[str, Any]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1, "n": 4, "failed": 0}


@pytest.fixture
def context(tmp_path: Path) -> StageContext:
    systems = {"as_is": 0.0, "teacher": 0.7, "q8": 0.4}
    evaluation = wrote(
        tmp_path / "evaluation",
        summary={
            data: {name: {"errant_f0.5": measured(v), "exact_match": measured(v / 2)} for name, v in systems.items()}
            for data in ("seen", "unseen")
        },
        differences={
            "seen": {
                "q8": {"as_is": {"errant_f0.5": {"value": 0.4, "low": 0.2, "high": 0.6, "n": 4}}},
                "teacher": {"q8": {"errant_f0.5": {"value": 0.3, "low": 0.1, "high": 0.5, "n": 4}}},
            }
        },
    )
    answers = tuple(Item(f"r{i}", f"in {i}", f"out {i}", (f"gold {i}",)) for i in range(4))
    write_items(evaluation / "items.parquet", [Scored(Answers("seen", "q8", answers), "exact_match", np.zeros((4, 1)))])
    gate = {
        "name": "better",
        "level": "error",
        "verdict": "pass",
        "model": "q8",
        "against": "as_is",
        "metric": "errant_f0.5",
        "margin": None,
    }
    artifacts = {
        "evaluation": Artifact(evaluation, digest="e" * 64),
        "judge.lints": Artifact(
            wrote(tmp_path / "judge", summary={"seen": {name: {"lints": measured(0.1)} for name in systems}}, differences={})
        ),
        "gate.better": Artifact(wrote(tmp_path / "gate", gate=gate | {"difference": 0.4, "low": 0.2, "high": 0.6, "n": 4, "p": 0.001})),
        "measure": Artifact(
            wrote(
                tmp_path / "measure",
                measure={"q8": {"bytes": 9, "tokens_per_second": 5.0, "latency_ms": {"p50": 1.0, "p95": 2.0}, "parameters": 1}},
            )
        ),
        "history.teacher": Artifact(
            tmp_path,
            {
                "history": [{"step": 5, "train_loss": 2.0, "errant_f0.5": 0.3}, {"step": 9, "train_loss": 1.0, "errant_f0.5": 0.7}],
                "steps": 9,
                "best_step": 9,
                "tokens": 100,
                "stopped": "all steps",
                "info": {"name": "teacher", "license": "Apache-2.0"},
            },
        ),
        "rows.clean": Artifact(tmp_path, {"generated": 10, "kept": 7, "dropped": {"duplicate": 3}}),
    }
    config = {
        "name": "grammar",
        "evaluation": "test",
        "profile": "tiny",
        "seed": 3,
        "models": list(systems),
        "data": ["seen", "unseen"],
        "roles": {"as_is": "reference", "teacher": "teacher", "q8": "student"},
        "formats": {"q8": "gguf"},
        "metrics": ["exact_match", "errant_f0.5"],
        "judges": ["lints"],
        "directions": {"lints": "lower"},
    }
    stage = Stage("test/report", "report", None, config, {port: Input(port) for port in artifacts}, "k")
    out = tmp_path / "out"
    out.mkdir()
    return StageContext(stage=stage, folder=tmp_path, out=out, work=tmp_path, artifacts=artifacts, plugins=load())


def test_the_report_has_the_documented_shape(context: StageContext) -> None:
    assert report.run(context) == {"systems": 3, "verdicts": {"better": "pass"}}
    made = json.loads((context.out / "report.json").read_bytes())
    assert set(made) == {"run", "rows", "gates"}
    q8 = made["rows"][2]
    assert (q8["name"], q8["role"], q8["format"], q8["bytes"], q8["latency_ms"]) == ("q8", "student", "gguf", 9, {"p50": 1.0, "p95": 2.0})
    assert set(q8["metrics"]) == {"exact_match", "errant_f0.5", "lints"}
    assert q8["slices"]["unseen"]["errant_f0.5"]["value"] == 0.4
    assert made["gates"][0]["verdict"] == "pass"
    assert (made["run"]["metric"], made["run"]["profile"], made["run"]["data"]) == ("errant_f0.5", "tiny", "seen")


def test_the_report_says_what_was_set_beside_the_text_of_the_spec(context: StageContext) -> None:
    config = {**context.config, "overrides": ["train.student.epochs=1"]}
    report.run(replace(context, stage=replace(context.stage, config=config)))
    assert json.loads((context.out / "report.json").read_bytes())["run"]["overrides"] == ["train.student.epochs=1"]
    assert "--set train.student.epochs=1" in (context.out / "report.html").read_text()


def test_differences_are_those_of_the_gates_model_in_either_order(context: StageContext) -> None:
    report.run(context)
    found = json.loads((context.out / "report.json").read_bytes())["run"]["differences"]
    assert [(d["model"], d["against"], d["value"], d["low"], d["high"]) for d in found] == [
        ("q8", "as_is", 0.4, 0.2, 0.6),
        ("q8", "teacher", -0.3, -0.5, -0.1),
    ]


def test_the_page_shows_curves_funnel_samples_and_licenses(context: StageContext) -> None:
    report.run(context)
    page = (context.out / "report.html").read_text()
    for shown in (
        "errant_f0.5 on validation",
        "dropped: 3 duplicate",
        "What q8 writes",
        "<del>out</del> <ins>gold</ins>",
        "Apache-2.0",
        "sha256:eee",
    ):
        assert shown in page, shown


def test_the_same_inputs_give_the_same_bytes(context: StageContext) -> None:
    made = []
    for _ in range(2):
        report.run(context)
        made.append({path.name: path.read_bytes() for path in sorted(context.out.iterdir())})
    assert made[0] == made[1]
