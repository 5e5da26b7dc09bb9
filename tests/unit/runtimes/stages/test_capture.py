"""Capture: every answer token of every row once, in shards, whatever their order."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from distillc.compiler.plan import Input, Stage
from distillc.plugins.api.artifacts import Model, Row
from distillc.plugins.quantizers.configs import GgufConfig
from distillc.plugins.quantizers.gguf import GgufQuantizer
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


def context(folder: Path, model: Model, count: int, config: dict[str, Any] = CONFIG) -> StageContext:
    (folder / "rows").mkdir()
    rows = [Row(row_id=f"r{i}", payload={"input": "the cat " * (i + 1), "target": "She goes " * (3 - i)}, source="s") for i in range(count)]
    write_artifact(folder / "rows", rows)
    (folder / "out").mkdir()
    stage = Stage("s/capture", "capture", None, config, {"rows": Input("rows"), "model": Input("teacher")}, "k")
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


def test_a_gguf_teacher_is_asked_in_its_own_ids(tiny_model: Model, tmp_path: Path) -> None:
    """The signals of the f32 file and of the folder that it was made from are for the same tokens and say the same."""
    (tmp_path / "gguf").mkdir()
    gguf = Model(tmp_path / "gguf", GgufQuantizer(GgufConfig(type="f32")).quantize(tiny_model, tmp_path / "gguf", name="tiny"))
    found = []
    for model, engine in ((tiny_model, CONFIG["engine"]), (gguf, {"uses": "llama_cpp", "threads": 1})):
        folder = tmp_path / f"of-{model.info.format}"
        folder.mkdir()
        stage = context(folder, model, 3, {**CONFIG, "engine": engine})
        [shard] = capture.shards(stage)
        parts = [(folder, capture.run_shard(stage, shard, folder))]
        stage.close()
        capture.collect(stage, parts)
        found.append((stage, Signals(folder / "out")))
    (stage, theirs), (_, ours) = found
    assert ours.header.vocabulary == theirs.header.vocabulary
    assert ours.header.tokenizer == "sha256:m"  # there is no other file than the model
    text = load_text(tiny_model.folder)
    examples = [example(row, stage.task, text) for row in stage.rows("rows")]  # the student's ids: `read` refuses others
    for temperature in (1.0, 2.0):
        mine, its = ours.read(examples, temperature), theirs.read(examples, temperature)
        assert torch.equal(mine.ids, its.ids)
        assert torch.allclose(mine.tail, its.tail, atol=5e-3)
        assert torch.allclose(mine.log_probs.exp(), its.log_probs.exp(), atol=2e-3)


def test_no_rows_is_an_error(tiny_model: Model, tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="no rows to capture"):
        capture.shards(context(tmp_path, tiny_model, 0))
