"""Stage `bundle`: gathers exports, report and golden prompts and has a target deliver them. The driver puts the result where the spec says.

Ports: `model.NAME` an export each; `report`; `gate.NAME` each gate of `needs`; `data.NAME` the sources; `rows.prompts`; and
`answers.NAME`, what an export answered on those rows, where they were evaluated.
"""

import json
from collections.abc import Mapping
from typing import Any

from distillc.plugins.api.artifacts import Row
from distillc.plugins.api.targets import Delivery
from distillc.runtimes import bundle
from distillc.runtimes.inference.prompts import render
from distillc.runtimes.stages.context import StageContext
from distillc.spec.errors import StageFailed

GOLDEN = 16  # prompts; enough to see a lost template or BOS token, small enough to read


def run(context: StageContext) -> dict[str, Any]:
    """Meta: what the target says of its delivery. A target that writes no checksums gets them, so that every delivery can be verified."""
    config = context.config
    _check_gates(context)
    exports = {port.removeprefix("model."): context.model(port) for port in context.ports("model.")}
    report = context.directory("report") if context.ports("report") else None
    if report is None:
        raise StageFailed(
            "a bundle has the proof beside the model, and there is no evaluation", help="add `evaluate:`", where=context.stage.id
        )
    delivery = Delivery(
        name=str(config.get("spec_name") or config.get("name") or context.stage.id),
        spec_text=str(config.get("spec_text") or ""),
        exports=exports,
        evaluation=json.loads((report / "report.json").read_bytes()),
        report=report / "report.html",
        lock=_lock(context),
        lineage=tuple(config.get("lineage") or ()),
        data=tuple(_source(context, entry) for entry in config.get("data") or ()),
        prompts=tuple(_golden(context)),
        task=context.task if config.get("task") else None,
        decoding=context.decoding,
    )
    facts = dict(context.plugin("targets").deliver(delivery, context.out))
    if not (context.out / bundle.SUMS).is_file():
        bundle.write_sums(context.out)
    return facts


def _check_gates(context: StageContext) -> None:
    """The driver does not start a bundle whose gates did not pass; a plan run by hand must not get past them either."""
    for port in context.ports("gate."):
        verdict = json.loads((context.directory(port) / "gate.json").read_bytes())["verdict"]
        if verdict != "pass":
            raise StageFailed(
                f"the gate '{port.removeprefix('gate.')}' says {verdict}",
                help="look at `distillc report`; `needs:` names the gates",
                where=context.stage.id,
            )


def _lock(context: StageContext) -> str:
    """What pins this bundle: the lock's entries that the plan carries, else the file beside the spec."""
    if lock := context.config.get("lock"):
        return lock if isinstance(lock, str) else json.dumps(lock, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    path = context.folder / "distill.lock"
    return path.read_text("utf-8") if path.is_file() else "{}\n"


def _source(context: StageContext, entry: Mapping[str, Any]) -> dict[str, Any]:
    port = f"data.{entry['name']}"
    rows = context.meta(port).get("rows") if port in context.ports("data.") else entry.get("rows")
    return {**entry, "rows": rows}


def _golden(context: StageContext) -> list[dict[str, Any]]:
    """The first rows as prompts, each with its token ids and each export's answer; a part that nothing here can tell is left out."""
    if not context.ports("rows.prompts"):
        return []
    rows = sorted(context.rows("rows.prompts"), key=lambda row: row.row_id)[:GOLDEN]
    prompts = [render(context.task, str(row.payload["input"])) for row in rows]
    ids: dict[str, list[list[int]]] = {}
    answers: dict[str, list[str]] = {}
    for port in context.ports("model."):
        name = port.removeprefix("model.")
        known = _answered(context, name)
        if all(row.row_id in known for row in rows):
            answers[name] = [known[row.row_id] for row in rows]
        engine = (context.config.get("engines") or {}).get(name)
        if engine is None:
            continue
        running = context.open(engine, port)
        try:
            ids[name] = [running.token_ids(prompt) for prompt in prompts]
            if name not in answers:
                texts = [str(row.payload["input"]) for row in rows]
                found = {index: completion.text for index, completion in running.generate(prompts, texts, context.decoding)}
                answers[name] = [found[i] for i in range(len(rows))]
        finally:
            running.close()
    return [
        {
            "row_id": row.row_id,
            "input": row.payload["input"],
            "prompt": prompt,
            "token_ids": {name: found[i] for name, found in ids.items()},
            "answers": {name: found[i] for name, found in answers.items()},
        }
        for i, (row, prompt) in enumerate(zip(rows, prompts, strict=True))
    ]


def _answered(context: StageContext, name: str) -> dict[str, str]:
    """Row id of the prompt -> output. Answers under test descend from the row that they answer."""
    port = f"answers.{name}"
    if port not in context.ports("answers."):
        return {}
    return {origin(row): str(row.payload.get("output", "")) for row in context.rows(port)}


def origin(row: Row) -> str:
    """The id of the test row that an answer belongs to."""
    return row.parents[0] if row.parents else row.row_id
