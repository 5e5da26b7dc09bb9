"""The bundle stage gathers what a target needs, runs engines only for what nobody knows yet, and keeps gates."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.plan import Input, Stage
from distillc.plugins.api.artifacts import Completion, Decoding, Model, Row
from distillc.plugins.api.manifest import Manifest
from distillc.plugins.registry import load
from distillc.runtimes.bundle import verify_bundle
from distillc.runtimes.stages import bundle
from distillc.runtimes.stages.context import Artifact, StageContext
from distillc.runtimes.store.rows import write_rows
from distillc.spec.errors import StageFailed


class Upper:
    """An engine that shouts; its ids are code points."""

    asked: int = 0

    def __init__(self, config: Any) -> None:
        pass

    def open(self, model: Model, *, seed: int) -> "Upper":
        return self

    def token_ids(self, prompt: str) -> list[int]:
        return [ord(c) for c in prompt]

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        Upper.asked += 1
        for index, text in enumerate(inputs):
            yield index, Completion(text=text.upper(), finish_reason="stop", prompt_tokens=1, completion_tokens=1)

    def timed(self, prompts: Sequence[str], tokens: int) -> Iterator[float]:
        raise AssertionError("nobody measures here")

    def close(self) -> None:
        pass


class Plugins:
    """The registry, but every engine is `Upper`."""

    def __init__(self) -> None:
        self.real = load()

    def manifest(self, kind: str, name: str) -> Manifest:
        return self.real.manifest(kind, name)

    def config_class(self, kind: str, name: str) -> Any:
        return self.real.config_class(kind, name)

    def implementation(self, kind: str, name: str) -> Any:
        return Upper if kind == "engines" else self.real.implementation(kind, name)


def row(number: int, **payload: str) -> Row:
    return Row(row_id=f"r{number:02}", payload={"input": f"text {number}", "target": "t", **payload}, source="s", split="test")


@pytest.fixture
def context(tmp_path: Path) -> StageContext:
    Upper.asked = 0
    folders = {name: tmp_path / name for name in ("q8", "report", "gate", "rows", "answers", "out")}
    for folder in folders.values():
        folder.mkdir()
    (folders["q8"] / "m.gguf").write_bytes(b"GGUF")
    report = {"run": {"name": "x", "data": "seen"}, "rows": [], "gates": []}
    (folders["report"] / "report.json").write_text(json.dumps(report))
    (folders["report"] / "report.html").write_text("<html>")
    (folders["gate"] / "gate.json").write_text('{"name": "better", "level": "error", "verdict": "pass"}')
    write_rows(folders["rows"] / "test-00000.parquet", [row(n) for n in range(20)])
    answered = [row(n, output=f"answer {n}") for n in range(20)]
    write_rows(
        folders["answers"] / "test-00000.parquet",
        [Row(row_id=f"a{one.row_id}", payload=one.payload, source="s", split="test", parents=(one.row_id,)) for one in answered],
    )
    info = {"format": "gguf", "name": "q8", "license": "Apache-2.0"}
    artifacts = {
        "model.q8": Artifact(folders["q8"], {"info": info}),
        "report": Artifact(folders["report"]),
        "gate.better": Artifact(folders["gate"]),
        "rows.prompts": Artifact(folders["rows"]),
        "answers.q8": Artifact(folders["answers"]),
        "data.prose": Artifact(folders["rows"], {"rows": {"train": 7}}),
    }
    config = {
        "path": "dist",
        "name": "edge",
        "spec_name": "grammar",
        "spec_text": "distill: 1\n",
        "lock": "version = 1\n",
        "task": {"kind": "generate", "input": "text", "target": "fixed", "prompt": "Fix: {{ text }}"},
        "decoding": {"max_tokens": 5},
        "engines": {"q8": {"uses": "llama_cpp"}},
        "lineage": [{"name": "base", "license": "Apache-2.0"}],
        "data": [{"name": "prose", "uses": "jsonl", "revisions": {"a": "1"}}],
    }
    stage = Stage("edge", "bundle", "bundle", config, {port: Input(port) for port in artifacts}, "k")
    return StageContext(stage=stage, folder=tmp_path, out=folders["out"], work=tmp_path, artifacts=artifacts, plugins=Plugins())


def without(context: StageContext, *ports: str, **config: Any) -> StageContext:
    """The same stage with less coming in, and another config."""
    inputs = {port: ref for port, ref in context.stage.inputs.items() if port not in ports}
    stage = Stage("edge", "bundle", context.stage.uses, {**context.config, **config}, inputs, "k")
    artifacts = {port: context.artifacts[port] for port in inputs}
    return StageContext(
        stage=stage, folder=context.folder, out=context.out, work=context.work, artifacts=artifacts, plugins=context.plugins
    )


def golden(context: StageContext) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in (context.out / "golden.jsonl").read_text().splitlines()]


def test_the_bundle_is_whole_and_golden_answers_are_those_that_were_evaluated(context: StageContext) -> None:
    facts = bundle.run(context)
    assert verify_bundle(context.out) == []
    assert facts["files"] == len([path for path in context.out.rglob("*") if path.is_file()])
    first = golden(context)[0]
    assert first == {
        "row_id": "r00",
        "input": "text 0",
        "prompt": "Fix: text 0",
        "token_ids": {"q8": [ord(c) for c in "Fix: text 0"]},
        "answers": {"q8": "answer 0"},
    }
    assert len(golden(context)) == bundle.GOLDEN
    assert Upper.asked == 0
    assert (context.out / "distill.lock").read_text() == "version = 1\n"
    assert "prose, source `jsonl`: 7 train" in (context.out / "MODEL_CARD.md").read_text()


def test_what_nobody_answered_the_engine_answers(context: StageContext) -> None:
    less = without(context, "answers.q8")
    bundle.run(less)
    assert golden(less)[3]["answers"] == {"q8": "TEXT 3"}
    assert Upper.asked == 1


def test_without_an_engine_only_what_is_known_is_written(context: StageContext) -> None:
    less = without(context, "answers.q8", engines={})
    bundle.run(less)
    assert golden(less)[0]["token_ids"] == golden(less)[0]["answers"] == {}


@pytest.mark.parametrize("verdict", ["fail", "undecided"])
def test_a_gate_that_did_not_pass_stops_the_bundle(context: StageContext, verdict: str) -> None:
    path = context.directory("gate.better") / "gate.json"
    path.write_text(json.dumps({"name": "better", "level": "warn", "verdict": verdict}))
    with pytest.raises(StageFailed, match=f"'better' says {verdict}"):
        bundle.run(context)
    assert not list(context.out.iterdir())


def test_a_bundle_without_proof_is_refused(context: StageContext) -> None:
    with pytest.raises(StageFailed, match="no evaluation"):
        bundle.run(without(context, "report"))


def test_a_target_that_writes_no_checksums_gets_them(context: StageContext) -> None:
    zipped = StageContext(
        stage=Stage("file", "bundle", "zip", context.config, context.stage.inputs, "k"),
        folder=context.folder,
        out=context.out,
        work=context.work,
        artifacts=context.artifacts,
        plugins=context.plugins,
    )
    bundle.run(zipped)
    assert sorted(path.name for path in context.out.iterdir()) == ["SHA256SUMS", "student.zip"]
    assert verify_bundle(context.out) == []
