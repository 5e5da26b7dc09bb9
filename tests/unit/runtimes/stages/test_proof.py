"""The stages of the proof, on contexts made by hand: answers in, summaries and verdicts out."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.plan import Input, Stage
from distillc.plugins import registry
from distillc.plugins.api.artifacts import Model, ModelInfo, Row
from distillc.plugins.quantizers.configs import GgufConfig
from distillc.plugins.quantizers.gguf import GgufQuantizer
from distillc.runtimes.stages import evaluate, gate, judge, measure, parity
from distillc.runtimes.stages.context import Artifact, StageContext
from distillc.runtimes.stages.models import describe
from distillc.runtimes.store.rows import write_rows
from distillc.spec.errors import StageFailed

TASK = {"kind": "generate", "input": "text", "target": "fixed", "prompt": "Correct: {{ text }}\nFixed:"}
N = 60
ANSWERS = {
    "good": lambda number: "She goes home." if number % 10 else "She go home.",
    "bad": lambda number: "She go home." if number % 4 else "She goes home.",
}


class Bench:
    """Makes contexts whose inputs lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plugins = registry.load()
        self.artifacts: dict[str, Artifact] = {}

    def context(self, kind: str, config: Mapping[str, Any], ports: list[str], uses: str | None = None) -> StageContext:
        stage = Stage("test", kind, uses, {"seed": 0, "task": TASK, **config}, {port: Input(port) for port in ports}, key="k")
        out = self.folder / f"out-{kind}-{len(list(self.folder.glob('out-*')))}"
        out.mkdir()
        return StageContext(stage, self.folder, out, self.folder, {port: self.artifacts[port] for port in ports}, self.plugins)

    def answers(self, model: str, *, gold: bool = True, rows: int = N) -> str:
        port = f"answers.{model}.seen"
        folder = self.folder / port
        folder.mkdir(exist_ok=True)
        write_rows(folder / "test-00000.parquet", [answered(model, number, gold=gold) for number in range(rows)])
        self.artifacts[port] = Artifact(folder)
        return port

    def keep(self, port: str, context: StageContext, meta: Mapping[str, Any]) -> None:
        self.artifacts[port] = Artifact(context.out, meta)


def answered(model: str, number: int, *, gold: bool) -> Row:
    payload = {"input": "She go home.", "output": ANSWERS[model](number)} | ({"target": "She goes home."} if gold else {})
    row_id = f"{model}-{number}"
    return Row(row_id=row_id, payload=payload, source="s", split="test", group=f"m{number // 2}", parents=(f"row-{number}",))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def evaluated(bench: Bench, **config: Any) -> StageContext:
    ports = [bench.answers(model) for model in ("good", "bad")]
    metrics = [{"uses": "exact_match", "ignore_case": False}, {"uses": "errant"}]
    context = bench.context("evaluate", {"models": ["good", "bad"], "data": ["seen"], "metrics": metrics, **config}, ports)
    bench.keep("evaluation", context, evaluate.run(context))
    return context


def asked(metric: str, uses: str, value: str, **config: Any) -> dict[str, Any]:
    return {
        "name": "better", "level": "error", "model": "good", "against": "bad", "metric": metric, "margin": None, "data": "seen",
        "source": "evaluation", "uses": uses, "value": value, "higher_is_better": True, **config,
    }  # fmt: skip


def test_evaluate_writes_values_with_intervals_and_differences(bench: Bench) -> None:
    context = evaluated(bench)
    summary = json.loads((context.out / "summary.json").read_text("utf-8"))["seen"]
    assert set(summary["good"]) == {"exact_match", "errant_f0.5", "errant_precision", "errant_recall"}
    good, bad = summary["good"]["exact_match"], summary["bad"]["exact_match"]
    assert (good["value"], bad["value"], good["n"], good["failed"]) == (0.9, 0.25, N, 0)
    assert bad["low"] < 0.25 < bad["high"] < good["low"] < 0.9 < good["high"]
    assert summary["good"]["errant_recall"]["value"] == 0.9  # one edit wanted in each, made in nine of ten
    gap = json.loads((context.out / "differences.json").read_text("utf-8"))["seen"]["bad"]["good"]["exact_match"]
    assert gap["value"] == pytest.approx(-0.65)
    assert gap["low"] < -0.65 < gap["high"] < 0


def test_the_same_answers_give_the_same_bytes(bench: Bench) -> None:
    one, other = evaluated(bench), evaluated(bench)
    for name in ("items.parquet", "summary.json", "differences.json"):
        assert (one.out / name).read_bytes() == (other.out / name).read_bytes()


def test_gates_decide_on_metrics_and_on_judges(bench: Bench) -> None:
    evaluated(bench)
    ports = [bench.answers(model) for model in ("good", "bad")]
    context = bench.context(
        "judge", {"models": ["good", "bad"], "data": ["seen"], "name": "lints", "dialect": "american"}, ports, uses="harper"
    )
    bench.keep("judge.lints", context, judge.run(context))
    lints = {"source": "judge.lints", "higher_is_better": False}
    for config, verdict in [
        (asked("exact_match", "exact_match", ""), "pass"),
        (asked("errant_f0.5", "errant", "f0.5"), "pass"),
        (asked("lints", "harper", "", **lints), "pass"),
        (asked("exact_match", "exact_match", "", model="bad", against="good"), "fail"),
        (asked("exact_match", "exact_match", "", model="good", against="good", margin=0.01), "undecided"),
    ]:
        context = bench.context("gate", config, ["evaluation", "judge.lints"])
        meta = gate.run(context)
        assert (meta["verdict"], meta["n"], meta["groups"]) == (verdict, N, N // 2)
        assert json.loads((context.out / "gate.json").read_text("utf-8")) == meta


def test_a_family_of_gates_makes_each_harder(bench: Bench) -> None:
    evaluated(bench)
    alone = asked("exact_match", "exact_match", "")
    others = [asked("exact_match", "exact_match", "", name=f"o{number}", model="bad", against="good") for number in range(3)]
    meta = gate.run(bench.context("gate", {**alone, "family": [alone, *others]}, ["evaluation"]))
    assert meta["gates"] == 4
    assert meta["p_adjusted"] == pytest.approx(4 * meta["p"])


def test_an_empty_set_missing_gold_and_other_rows_are_clear_errors(bench: Bench) -> None:
    metrics = [{"uses": "exact_match"}]
    for kwargs, message in [({"rows": 0}, "no rows"), ({"gold": False}, "no gold"), ({"rows": N - 1}, "other rows")]:
        ports = [bench.answers("good", **({} if message == "other rows" else kwargs)), bench.answers("bad", **kwargs)]  # type: ignore[arg-type]
        with pytest.raises(StageFailed, match=message):
            evaluate.run(bench.context("evaluate", {"models": ["good", "bad"], "data": ["seen"], "metrics": metrics}, ports))


@pytest.fixture
def export(bench: Bench, tiny_model: Model) -> Bench:
    """Beside the tiny model an export of it, and rows to prompt them with."""
    out = bench.folder / "export"
    out.mkdir()
    info = GgufQuantizer(GgufConfig(type="q8_0")).quantize(tiny_model, out, name="q8")
    bench.artifacts["export"] = bench.artifacts["model.q8"] = Artifact(out, describe(out, info))
    bench.artifacts["model"] = bench.artifacts["model.tiny"] = Artifact(tiny_model.folder, {"info": {"format": "hf", "name": "tiny"}})
    bench.answers("good", rows=8)
    bench.artifacts["rows"] = bench.artifacts["answers.good.seen"]
    return bench


def test_parity_holds_for_an_export_and_its_model(export: Bench) -> None:
    context = export.context("parity", {"engine": {"uses": "llama_cpp", "batch": 4, "threads": 1}}, ["export", "model", "rows"])
    meta = parity.run(context)
    assert meta["identical"] and meta["prompts"] > 40


def test_parity_fails_for_another_tokenizer_and_names_the_place(export: Bench, tiny_model: Model, tmp_path: Path) -> None:
    described = json.loads((tiny_model.folder / "tokenizer.json").read_text("utf-8"))
    described["pre_tokenizer"]["add_prefix_space"] = True
    other = tmp_path / "other"
    other.mkdir()
    (other / "tokenizer.json").write_text(json.dumps(described), "utf-8")
    export.artifacts["model"] = replace(export.artifacts["model"], directory=other)
    context = export.context("parity", {"engine": {"uses": "llama_cpp", "batch": 4, "threads": 1}}, ["export", "model", "rows"])
    with pytest.raises(StageFailed, match=r"'q8' reads a prompt otherwise than 'tiny': token \d+ of 'Correct"):
        parity.run(context)


def test_measure_gives_size_and_speed_of_each(export: Bench, tiny_model: Model) -> None:
    engines = {"tiny": {"uses": "transformers"}, "q8": {"uses": "llama_cpp", "threads": 1}}
    config = {"models": ["tiny", "q8"], "engines": engines, "prompts": 2, "tokens": 4, "rounds": 2, "decoding": {}}
    context = export.context("measure", config, ["model.tiny", "model.q8", "rows"])
    measure.run(context)
    found = json.loads((context.out / "measure.json").read_text("utf-8"))
    assert found["q8"]["bytes"] == (export.folder / "export" / "model.gguf").stat().st_size < found["tiny"]["bytes"]
    assert found["q8"]["parameters"] == tiny_model.info.parameters
    for name in ("tiny", "q8"):
        assert found[name]["n"] == 4
        assert 0 < found[name]["latency_ms"]["p50"] <= found[name]["latency_ms"]["p95"]
        # exact for equal latencies: a prompt takes p50, in which 4 tokens are made
        assert found[name]["tokens_per_second"] > 0


def test_model_info_survives_the_way_over_disk(export: Bench) -> None:
    context = export.context("parity", {}, ["export"])
    assert context.model("export").info == ModelInfo(
        format="gguf", name="q8", family="tiny", license="Apache-2.0", base="tiny", parameters=93_120, precision="q8_0"
    )
