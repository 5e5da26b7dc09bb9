"""Stage `report`: one table and one page out of evaluation, judges, gates, measured speed and training histories.

Files: `report.json` (what `report --format json` prints), `details.json` (what the page shows beyond it), `report.html`.
Ports: `evaluation`, `judge.J`, `gate.G`, `measure`, `history.STEP`; and, for the page, `rows.STAGE` (counts of what was dropped) and
`answers.MODEL.DATA` (samples). Wall times are no part of it: they are the journal's, and the command adds them.
"""

import json
from collections.abc import Mapping
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
    """Meta: {"rows": n, "verdicts": {gate: verdict}}."""
    config = context.config
    summaries = [_json(context.directory(port) / "summary.json") for port in ("evaluation", *context.ports("judge."))]
    gates = [_gate(context, port) for port in context.ports("gate.")]
    report = assemble.report(
        run=_run(context, summaries, gates),
        models=config["models"],
        data=config["data"],
        roles=config["roles"],
        formats=config.get("formats") or {},
        scores=assemble.merged(summary["scores"] for summary in summaries),
        measured=_json(context.directory("measure") / "measure.json")["models"] if context.ports("measure") else {},
        gates=gates,
    )
    shown = _details(context, report)
    _write(context.out / "report.json", report)
    _write(context.out / "details.json", shown)
    (context.out / "report.html").write_text(render_page(report, shown), encoding="utf-8", newline="\n")
    return {"systems": len(report["rows"]), "verdicts": {gate["name"]: gate["verdict"] for gate in gates}}


def _run(context: StageContext, summaries: list[dict[str, Any]], gates: list[dict[str, Any]]) -> dict[str, Any]:
    """`metric` is the one that the page puts first: that of the first gate."""
    config = context.config
    return {
        "name": config["name"],
        "evaluation": config.get("evaluation"),
        "profile": config.get("profile"),
        "seed": config.get("seed"),
        "distillc": metadata.version("distillc"),
        "metric": next((gate["metric"] for gate in gates if gate.get("metric")), None),
        "directions": {metric: way for summary in summaries for metric, way in (summary.get("directions") or {}).items()},
        "differences": [difference for summary in summaries for difference in summary.get("differences") or ()],
    }


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
    """Of the system that the first gate is about, else of the last student."""
    wanted = [gate["model"] for gate in report["gates"] if gate.get("model")]
    wanted += [row["name"] for row in reversed(report["rows"]) if row["role"] == "student"]
    data = context.config["data"][0]
    for name in wanted:
        if (port := f"answers.{name}.{data}") in context.ports("answers."):
            return details.samples(name, data, (row.payload for row in context.rows(port)))
    return None


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
    path.write_text(json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8", newline="\n")
