"""Capture: every answer token of every row once, in shards, whatever their order."""

from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from distillc.compiler.plan import Input, Stage
from distillc.plugins.api.artifacts import Model, Row
from distillc.plugins.registry import load
from distillc.runtimes.inference.loading import load_model, load_text
from distillc.runtimes.stages import capture
from distillc.runtimes.stages.context import Artifact, StageContext
from distillc.runtimes.store.rows import write_artifact
from distillc.runtimes.training.examples import example
from distillc.runtimes.training.signals import Signals
from distillc.spec.errors import StageFailed

TASK = {"kind": "generate", "input": "text", "target": "fixed", "prompt": "Correct: {{ text }}\nFixed:"}
CONFIG = {
    "task": TASK,
    "engine": {"uses": "transformers", "batch": 64, "precision": "float32"},
    "temperatures": [1.0, 2.0],
    "mass": 0.99,
    "top_k": 16,
    "seed": 0,
}


def context(folder: Path, model: Model, count: int) -> StageContext:
    (folder / "rows").mkdir()
    rows = [Row(row_id=f"r{i}", payload={"input": "the cat " * (i + 1), "target": "She goes " * (3 - i)}, source="s") for i in range(count)]
    write_artifact(folder / "rows", rows)
    (folder / "out").mkdir()
    stage = Stage("s/capture", "capture", None, CONFIG, {"rows": Input("rows"), "model": Input("teacher")}, "k")
    artifacts = {"rows": Artifact(folder / "rows"), "model": Artifact(model.folder, {"info": asdict(model.info)}, digest="sha256:m")}
    return StageContext(stage=stage, folder=folder, out=folder / "out", work=folder, artifacts=artifacts, plugins=load())


def test_shards_together_hold_what_the_model_says(tiny_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "SHARD_ROWS", 2)
    stage = context(tmp_path, tiny_model, 3)
    parts = []
    for shard in capture.shards(stage):
        folder = tmp_path / f"shard-{shard.number}"
        folder.mkdir()
        parts.append((folder, capture.run_shard(stage, shard, folder)))
    meta = capture.collect(stage, parts)
    assert [counts["rows"] for _, counts in parts] == [2, 1]
    assert meta["rows"] == 3

    text = load_text(tiny_model.folder)
    examples = [example(row, stage.task, text) for row in stage.rows("rows")]
    assert meta["tokens"] == sum(len(e.answer) for e in examples)
    signals = Signals(tmp_path / "out")
    assert signals.header.model == "sha256:m"
    model = load_model(tiny_model.folder)
    model.set_attn_implementation("eager")
    for e in examples:
        logits = model(torch.tensor([[*e.prompt, *e.answer]])).logits[0, len(e.prompt) - 1 : -1]
        found = signals.read([e], 1.0)
        kept = found.log_probs > float("-inf")
        assert torch.allclose(found.log_probs[kept], logits.log_softmax(1).gather(1, found.ids)[kept], atol=5e-3)
    assert 0 < meta["mass"]["2.0"] < meta["mass"]["1.0"] <= 1


def test_no_rows_is_an_error(tiny_model: Model, tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="no rows to capture"):
        capture.shards(context(tmp_path, tiny_model, 0))
