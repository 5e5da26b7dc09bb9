"""Stage `report`: one table and one page out of evaluation, judges, gates, measured speed and training histories.

Files: `report.json` (what `report --format json` prints), `details.json` (what the page shows beyond it), `report.html`.
Ports: `evaluation`, `judge.J`, `gate.G`, `measure`, `history.STEP`, and `rows.STAGE` for the counts of what was dropped.
Wall times are no part of it: they are the journal's, and `distillc report` adds them.
"""

import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from distillc.runtimes.report import assemble, details
from distillc.runtimes.report.page import render_page
from distillc.runtimes.stages.context import StageContext

GATE_KEYS = ("name", "level", "verdict", "model", "metric", "against", "margin", "difference", "low", "high", "n", "reason", "needed")
# What the figures hang on most; the whole lock goes with the bundle.
VERSIONS = ("torch", "transformers", "llama-cpp-python", "onnxruntime-genai", "errant", "harper-py", "numpy", "scipy")


def run(context: StageContext) -> dict[str, Any]:
    """Meta: {"systems": n, "verdicts": {gate: verdict}}."""
    config = context.config
    found = ["evaluation", *context.ports("judge.")]
    gates = [_gate(context, port) for port in context.ports("gate.")]
    order = [*(config.get("metrics") or ()), *(config.get("judges") or ())]
    report = assemble.report(
        run=_run(context, found, gates, order),
        models=config["models"],
        data=config["data"],
        order=order,
        roles=config["roles"],
        formats=config.get("formats") or {},
        scores=assemble.merged(_json(context.directory(port) / "summary.json") for port in found),
        measured=_json(context.directory("measure") / "measure.json") if context.ports("measure") else {},
        gates=gates,
    )
    shown = _details(context, report)
    _write(context.out / "report.json", report)
    _write(context.out / "details.json", shown)
    (context.out / "report.html").write_text(render_page(report, shown), encoding="utf-8", newline="\n")
    return {"systems": len(report["rows"]), "verdicts": {gate["name"]: gate["verdict"] for gate in gates}}


def _run(context: StageContext, found: Sequence[str], gates: Sequence[Mapping[str, Any]], order: Sequence[str]) -> dict[str, Any]:
    """`metric` is what the table puts first: that of the first gate, else the first. `differences` are those of `_subject`."""
    config = context.config
    metric = next((gate["metric"] for gate in gates if gate.get("metric")), order[0] if order else None)
    model = _subject(context, gates)
    gaps = [_json(context.directory(port) / "differences.json").get(config["data"][0], {}) for port in found]
    others = [name for name in config["models"] if name != model]
    return {
        **({"overrides": config["overrides"]} if config.get("overrides") else {}),
        "name": config["name"],
        "evaluation": config.get("evaluation"),
        "profile": config.get("profile"),
        "seed": config.get("seed"),
        "distillc": metadata.version("distillc"),
        "metric": metric,
        "directions": config.get("directions") or {},
        "differences": [entry for gap in gaps if model and metric for entry in assemble.differences(gap, model, others, metric)],
    }


def _subject(context: StageContext, gates: Sequence[Mapping[str, Any]]) -> str | None:
    """The system that the report is about: that of the first gate, else the last student."""
    roles = context.config["roles"]
    students = [name for name in reversed(context.config["models"]) if roles.get(name) == "student"]
    return next((name for name in [*(gate["model"] for gate in gates if gate.get("model")), *students]), None)


def _gate(context: StageContext, port: str) -> dict[str, Any]:
    found = _json(context.directory(port) / "gate.json")
    return {key: found[key] for key in GATE_KEYS if key in found}


def _details(context: StageContext, report: Mapping[str, Any]) -> dict[str, Any]:
    config = context.config
    histories = {port.removeprefix("history."): context.meta(port) for port in context.ports("history.")}
    infos = [meta["info"] for meta in histories.values() if meta.get("info")]
    shown: dict[str, Any] = {
        "curves": details.curves(histories, config.get("metrics") or ()),
        "funnel": details.funnel({port.removeprefix("rows."): context.meta(port) for port in context.ports("rows.")}),
        "licenses": details.owed(infos),
        "reproduce": {
            "facts": [f"seed {config['seed']}"] if config.get("seed") is not None else [],
            "versions": _versions(),
            "keys": {port: f"sha256:{context.artifact(port).digest}" for port in context.ports() if context.artifact(port).digest},
        },
    }
    if samples := _samples(context, report):
        shown["samples"] = samples
    return shown


def _samples(context: StageContext, report: Mapping[str, Any]) -> dict[str, Any] | None:
    """Answers of the report's subject to the first data set, beside the gold text."""
    import pyarrow.parquet as pq

    model, data = _subject(context, report["gates"]), context.config["data"][0]
    path = context.directory("evaluation") / "items.parquet"
    if model is None or not path.is_file():
        return None
    table = pq.read_table(path, columns=["input", "output", "references"], filters=[("data", "=", data), ("model", "=", model)])
    items = [{"input": i["input"], "output": i["output"], "target": next(iter(i["references"]), None)} for i in table.to_pylist()]
    return details.samples(model, data, items) if items else None


def _versions() -> dict[str, str]:
    found = {}
    for name in ("distillc", *VERSIONS):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def _write(path: Path, data: Mapping[str, Any]) -> None:
    """Not sorted: metrics stand in the order of the spec."""
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8", newline="\n")
