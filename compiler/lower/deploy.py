"""Lowers `deploy`: a bundle of exports with their proof, and what they descend from."""

from typing import Any

from distillc.compiler.lower.evaluate import answers_stage, lower_parity
from distillc.compiler.lower.graph import Draft, Graph, Step
from distillc.compiler.lower.rows import ingest_stage, wire_references
from distillc.compiler.plan import Input
from distillc.spec.model import DeployStep, EvaluateStep
from distillc.spec.references import split_name


def lower_deploy(graph: Graph, step: Step, body: DeployStep) -> None:
    fields = graph.fields("targets", body, step.where)
    evaluation = _evaluation(graph, body)
    rows = _prompts(graph, evaluation, body)
    readers = {name: engine for name in body.models if (engine := graph.engine(name))}
    config: dict[str, Any] = {
        **fields.config,
        "name": step.name,
        "from": body.models,
        "needs": body.gates,
        "task": graph.task,
        "decoding": graph.decoding(graph.spec.evaluate[evaluation].decoding if evaluation else None),
        "seed": graph.spec.seed,
        "engines": {name: engine.flat() for name, engine in readers.items()},
        "spec_name": graph.spec.name,
        "spec_text": graph.document.text,
        "lineage": _lineage(graph, body.models),
        "data": _data(graph, body.models),
    }
    inputs = {f"model.{name}": Input(name) for name in body.models}
    for name in body.models:
        if rows and (parity := lower_parity(graph, name, rows)):
            inputs[f"parity.{name}"] = Input(parity)
    inputs |= {f"gate.{name}": Input(name) for name in body.gates}
    if evaluation:
        inputs["report"] = Input(f"{evaluation}/report")
    if rows:
        inputs["rows.prompts"] = rows
    if evaluation:
        inputs |= _answers(graph, evaluation, body.models)
    inputs |= {f"data.{source['name']}": Input(source["stage"]) for source in config["data"]}
    engines = wire_references(graph, fields, config, inputs)
    graph.add(Draft(step.name, "bundle", body.uses, config, inputs, step.name, step.where), [fields, *engines, *readers.values()])


def _answers(graph: Graph, evaluation: str, models: list[str]) -> dict[str, Input]:
    """What the exports answered to the first test set: golden prompts come with answers that were evaluated."""
    data = next(iter(graph.spec.evaluate[evaluation].data_sets))
    stages = {name: answers_stage(evaluation, name, data) for name in models}
    return {f"answers.{name}": Input(stage) for name, stage in stages.items() if stage in graph.drafts}


def _evaluation(graph: Graph, body: DeployStep) -> str | None:
    """The evaluation whose report goes along: that of the first gate, else the first that has all the models, else the first."""
    found = graph.spec.evaluate
    for gate in body.gates:
        for name, evaluation in found.items():
            if gate in evaluation.gates:
                return name
    complete = [name for name, evaluation in found.items() if set(body.models) <= set(evaluation.models)]
    return next(iter([*complete, *found]), None)


def _prompts(graph: Graph, evaluation: str | None, body: DeployStep) -> Input | None:
    """Rows for golden prompts and parity: the first test set of the evaluation, else what a model was trained on."""
    if evaluation:
        step: EvaluateStep = graph.spec.evaluate[evaluation]
        return graph.rows_input(next(iter(step.data_sets.values())), "test")
    for name in body.models:
        for ancestor in graph.outline.ancestors(name):
            if data := graph.models[ancestor].data:
                return graph.rows_input(data, "train")
    return None


def _behind(graph: Graph, models: list[str]) -> dict[str, str]:
    """Every model that exports descend from, and how: by `weights`, or by what a `teacher` taught. In the order of the plan."""
    own = {ancestor for name in models for ancestor in graph.outline.ancestors(name)}
    behind = {other for name in models for other in graph.outline.behind(name)}
    return {name: "weights" if name in own else "teacher" for name in graph.models if name in behind}


def _lineage(graph: Graph, models: list[str]) -> list[dict[str, Any]]:
    """Spec keys alone: `path` is as written, so that no path of this machine gets into a bundle."""
    found = []
    for name, how in _behind(graph, models).items():
        model = graph.models[name]
        path = model.fields.get("path")
        found.append({
            "name": name,
            "uses": model.uses,
            "section": model.section,
            "from": model.parent,
            "through": how,
            "format": model.format,
            "family": model.family,
            "license": model.license,
            "path": path if isinstance(path, str) and not path.startswith("/") else None,
        })  # fmt: skip
    return found


def _data(graph: Graph, models: list[str]) -> list[dict[str, Any]]:
    """The sources of everything that the models behind the exports were trained on, and of the test sets."""
    references = [data for name in _behind(graph, models) if (data := graph.models[name].data)]
    references += [reference for step in graph.spec.evaluate.values() for reference in step.data_sets.values()]
    sources = dict.fromkeys(graph.outline.rows[split_name(reference)[0]].data for reference in references)
    stages = [ingest_stage(graph, source) for source in sources]
    return [
        {
            "name": (draft := graph.drafts[stage]).origin,
            "stage": stage,
            "uses": draft.uses,
            "revisions": draft.config.get("revisions", {}),
        }
        for stage in stages
    ]
