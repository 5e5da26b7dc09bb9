"""Lowers `data`, `generate` and `curate`: rows that are read, made and chosen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from distillc.compiler.document import Where
from distillc.compiler.lower.graph import Draft, Fields, Graph, Step
from distillc.compiler.plan import Input
from distillc.plugins.api.manifest import Kind
from distillc.spec.model import CurateStep, GenerateStep, GeneratorStep, SourceStep, Uses


def lower_data(graph: Graph, step: Step, body: SourceStep) -> None:
    """`ingest`, and `split` where the step splits: the last of them has the step's name."""
    fields = graph.fields("sources", body, step.where)
    split = body.split
    ingest = ingest_stage(graph, step.name)
    config = {**fields.config, "task": {**graph.task, "prompt": ""}, "seed": graph.spec.seed}  # a new prompt reads no source again
    graph.add(Draft(ingest, "ingest", body.uses, config, {}, step.name, step.where), [fields])
    if split:
        config = {**split.model_dump(mode="json"), "seed": graph.spec.seed}
        graph.add(Draft(step.name, "split", None, config, {"rows": Input(ingest)}, step.name, (*step.where, "split")))


def ingest_stage(graph: Graph, name: str) -> str:
    """The stage that reads what a data step names."""
    return f"{name}/ingest" if graph.spec.data[name].split else name


def lower_generate(graph: Graph, step: Step, body: GenerateStep) -> None:
    rows = graph.rows_input(body.from_)
    ids = _stage_ids(step.name, [item.uses for item in body.steps])
    for index, (stage, item) in enumerate(zip(ids, body.steps, strict=True)):
        where = (*step.where, "steps", index)
        fields = graph.fields("generators", item, where)
        common: dict[str, Any] = {
            "task": graph.task,
            "seed": graph.spec.seed,
            "limit": body.limit if index == 0 else None,
            "skip": body.skip if index == 0 else 0,
        }
        config, inputs = {**fields.config, **common}, {"rows": rows}
        panel = graph.outline.capabilities("generators", item.uses).get("panel", {})
        models = fields.config.get(panel.get("field", ""))
        engines: list[Fields] = []
        if isinstance(models, list | tuple):
            inputs |= _asked(graph, Draft(stage, "generate", item.uses, common, inputs, step.name, where), item, panel, models)
        else:
            engines = wire_references(graph, fields, config, inputs)
        if engines or item.decoding or "answers.0" in inputs:  # what asks no model is made the same whatever the decoding is
            config["decoding"] = graph.decoding(item.decoding)
        nested = wire_plugins(graph, fields, config, where)
        graph.add(Draft(stage, "generate", item.uses, config, inputs, step.name, where), [fields, *engines, *nested])
        rows = Input(stage)


def _asked(
    graph: Graph, choice: Draft, item: GeneratorStep, panel: Mapping[str, Any], models: Sequence[str]
) -> Iterator[tuple[str, Input]]:
    """Adds a stage for each model of a panel, `STEP/USES/MODEL`; yields the ports of the stage that chooses: `FIELD.0` … and `answers.0` …

    So each answer is paid once, whatever is chosen later and whoever joins, and batches of several models are out at the same time.
    """
    asked = {key: value for key, value in item.fields.items() if key not in panel["choice"]}
    for place, name in enumerate(models):
        fields = graph.fields_of("generators", item.uses, {**asked, **panel["asks"], panel["field"]: name}, choice.where)
        config, inputs = {**fields.config, **choice.config}, {"rows": choice.inputs["rows"]}
        engines = wire_references(graph, fields, config, inputs)
        config["decoding"] = graph.decoding(item.decoding)
        ask = graph.add(
            Draft(f"{choice.id}/{item.uses}/{name}", "generate", item.uses, config, inputs, choice.origin, choice.where), [fields, *engines]
        )
        yield f"{panel['field']}.{place}", Input(name)
        yield f"answers.{place}", Input(ask)


def lower_curate(graph: Graph, step: Step, body: CurateStep) -> None:
    rows = graph.rows_input(body.from_)
    ids = _stage_ids(step.name, [item.uses for item in body.steps])
    for index, (stage, item) in enumerate(zip(ids, body.steps, strict=True)):
        where = (*step.where, "steps", index)
        fields = graph.fields("curators", item, where)
        config: dict[str, Any] = {**fields.config, "task": graph.task}
        inputs = {"rows": rows}
        engines = wire_references(graph, fields, config, inputs)
        graph.add(Draft(stage, "curate", item.uses, config, inputs, step.name, where), [fields, *engines])
        rows = Input(stage)


def wire_references(graph: Graph, fields: Fields, config: dict[str, Any], inputs: dict[str, Input], prefix: str = "") -> list[Fields]:
    """Adds a port for each reference in a plugin's fields, and an engine for each model; returns the engines.

    A model's field is a port of its name and its engine `config["engine"]`; lists, and a plugin with several models, have ports
    `FIELD.0` … and `config["engines"]` by port. Rows are always `FIELD.0` …: one reference is a list of one.
    """
    models: dict[str, str] = {}
    for marked in graph.marks(fields.kind, fields.uses):
        value = fields.config.get(marked.field)
        names = [name for name in (value if isinstance(value, list | tuple) else [value]) if isinstance(name, str)]
        for index, name in enumerate(names):
            if marked.mark == "rows":
                inputs[f"{prefix}{marked.field}.{index}"] = graph.rows_input(name)
            elif marked.mark == "model":
                port = f"{prefix}{marked.field}.{index}" if isinstance(value, list | tuple) else f"{prefix}{marked.field}"
                inputs[port] = Input(name)
                models[port] = name
    engines = {port: engine for port, name in models.items() if (engine := graph.engine(name))}
    alone = next(iter(engines.values()), None)
    if alone and len(models) == 1 and not prefix and not any("." in port for port in models):
        config["engine"] = alone.flat()
    elif engines:
        config["engines"] = {**config.get("engines", {}), **{port: engine.flat() for port, engine in engines.items()}}
    return list(engines.values())


def wire_plugins(graph: Graph, fields: Fields, config: dict[str, Any], where: Where) -> list[Fields]:
    """Writes out the plugins that a plugin's fields take, a judge say, and returns them."""
    found: list[Fields] = []
    for marked in graph.marks(fields.kind, fields.uses):
        if marked.mark in set(Kind) and (given := config.get(marked.field)) is not None:
            found.append(graph.fields(marked.mark, Uses.model_validate(given), (*where, marked.field)))
            config[marked.field] = found[-1].flat()
    return found


def _stage_ids(name: str, uses: Sequence[str]) -> list[str]:
    """The last stage has the step's name; earlier ones `NAME/USES`, and `NAME/USES.2` where one comes again."""
    ids: list[str] = []
    for plugin in uses[:-1]:
        base = f"{name}/{plugin}"
        again = sum(1 for id in ids if id == base or id.startswith(f"{base}.")) + 1
        ids.append(base if again == 1 else f"{base}.{again}")
    return [*ids, name]
