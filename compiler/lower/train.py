"""Lowers `train` and `capture`: what a teacher knows about the rows is captured once, then the student learns from it."""

from collections.abc import Mapping
from typing import Any

from distillc.compiler.document import Where
from distillc.compiler.facts.locate import locate
from distillc.compiler.lower.graph import Draft, Fields, Graph, Step
from distillc.compiler.lower.rows import wire_references
from distillc.compiler.outline.models import Model
from distillc.compiler.plan import Input
from distillc.spec.declared import named_values
from distillc.spec.errors import UsageError
from distillc.spec.model import CaptureStep, EarlyStopping, Spec, TrainStep

GRID = (1.0, 1.5, 2.0, 4.0)
"""Temperatures at which the mass outside the kept ids is recorded, whatever the losses ask today (design, section 5)."""
SETTINGS = ("epochs", "steps", "batch", "learning_rate", "warmup", "weight_decay", "max_grad_norm", "evaluate_every")


def lower_capture(graph: Graph, step: Step, body: CaptureStep) -> None:
    """A capture that is written out: it serves every train step with this teacher and this data."""
    rows = graph.rows_input(body.data, "train")
    config = {"mass": body.mass, "top_k": body.top_k, "temperatures": sorted(set(body.temperatures)), "teacher": body.teacher}
    _add_capture(graph, step.name, step.name, body.teacher, rows, config, step.where)


def lower_train(graph: Graph, step: Step, body: TrainStep) -> None:
    uses = body.trainer.uses
    given = graph.handed_on("trainers", uses, graph.models[body.model], body.trainer.fields)
    trainer = graph.fields_of("trainers", uses, given, (*step.where, "trainer"))
    rows = graph.rows_input(body.data, "train")
    losses = {name: graph.fields("losses", loss, (*step.where, "losses", name)) for name, loss in body.losses.items()}
    config: dict[str, Any] = {
        **trainer.config,
        **_settings(body, graph.outline.capabilities("trainers", uses).get("takes", {})),
        "name": step.name,
        "model": body.model,
        "data": body.data,
        "validation": body.validation,
        "task": graph.task,
        "seed": graph.spec.seed,
        "losses": {name: {**losses[name].flat(), "weight": loss.weight, "teacher": loss.teacher} for name, loss in body.losses.items()},
    }
    if body.lora:  # only where it is said: else every training would get another key
        config["lora"] = body.lora.model_dump(mode="json")
    inputs = {"model": Input(body.model), "rows": rows}
    if body.validation:
        inputs["validation"] = graph.rows_input(body.validation)
    for name, capture in _captures(graph, step, body, losses, rows).items():
        inputs[f"signals.{name}"] = Input(capture)
    stopping, metric = _early_stopping(graph, body.early_stopping, (*step.where, "early_stopping"))
    config["early_stopping"] = stopping
    if stopping and stopping["value"] != "loss":  # only a metric of answers decodes any: else another `max_tokens` trains nothing anew
        config["decoding"] = graph.decoding()
    nested = [engine for name, found in losses.items() for engine in wire_references(graph, found, config, inputs, f"losses.{name}.")]
    nested += wire_references(graph, trainer, config, inputs)
    here = () if graph.outline.capabilities("trainers", uses).get("remote") else losses.values()  # elsewhere nothing of ours computes them
    graph.add(Draft(step.name, "train", uses, config, inputs, step.name, step.where), [trainer, *here, *metric, *nested])


def _settings(body: TrainStep, takes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """How it trains: as the step says, else by the trainer's own defaults, else by the language's."""
    known = {key: getattr(body, key) for key in SETTINGS}
    own = {key: takes[key]["default"] for key in SETTINGS if "default" in takes.get(key, {})}
    return {**known, **own, **{key: known[key] for key in body.model_fields_set & known.keys()}}


def _captures(graph: Graph, step: Step, body: TrainStep, losses: dict[str, Fields], rows: Input) -> dict[str, str]:
    """The capture stage that each soft loss reads; adds those that nobody wrote out, one a teacher."""
    teachers = graph.models[step.name].soft
    stages: dict[str, str] = {}
    for teacher in teachers:
        if written := written_capture(graph.spec, body.data, teacher):
            stages[teacher] = written
            continue
        asked = {
            float(found.config["temperature"])
            for name, found in losses.items()
            if body.losses[name].teacher == teacher and isinstance(found.config.get("temperature"), int | float)
        }
        stages[teacher] = f"{step.name}/capture" if len(teachers) == 1 else f"{step.name}/capture/{teacher}"
        config = {"mass": 0.99, "top_k": 64, "temperatures": sorted({*GRID, *asked}), "teacher": teacher}
        _add_capture(graph, stages[teacher], step.name, teacher, rows, config, step.where)
    return {name: stages[loss.teacher] for name, loss in body.losses.items() if loss.teacher in stages and graph.outline.is_soft(loss.uses)}


def written_capture(spec: Spec, data: str, teacher: str) -> str | None:
    """The step under `capture:` that asks this teacher about this data, if there is one."""
    return next((name for name, step in spec.capture.items() if (step.teacher, step.data) == (teacher, data)), None)


def _add_capture(graph: Graph, stage: str, origin: str, teacher: str, rows: Input, config: dict[str, Any], where: Where) -> None:
    model = graph.models[teacher]
    gathers = graph.outline.gathers(model)
    engine = None if gathers else graph.engine(teacher)
    config = {**config, "task": graph.task, "engine": engine.flat() if engine else None}
    if gathers:  # how what was not told spreads at another temperature nobody can say
        config |= {"temperatures": [1.0], "gathers": _tokenizer(graph, model)}
    graph.add(Draft(stage, "capture", None, config, {"rows": rows, "model": Input(teacher)}, origin, where), [engine] if engine else [])


def _tokenizer(graph: Graph, model: Model) -> dict[str, Any]:
    """By what tokens become ids: the tokenizer that a model's entry names, and the digest of what it says."""
    field = str(graph.outline.capabilities(model.kind, model.uses).get("tokenizer"))
    path = model.fields.get(field)
    if path and model.facts.get("tokenizer") is None:
        try:
            locate(path, graph.folder)
        except UsageError as error:
            graph.error("D153", (*model.where, field), error.message, error.help)
    return {"uses": model.uses, "tokenizer": path, "revision": model.facts.get("tokenizer")}


def _early_stopping(graph: Graph, body: EarlyStopping | None, where: Where) -> tuple[dict[str, Any] | None, list[Fields]]:
    """The step's early stopping with the metric's plugin, value and direction written out."""
    if body is None:
        return None, []
    plain = {"metric": body.metric, "patience": body.patience}
    if body.metric == "loss":
        return {**plain, "uses": None, "value": "loss", "higher_is_better": False}, []
    found = find_metric(graph, body.metric, list(graph.plugins.names("metrics")))
    if found is None:
        graph.error("D207", (*where, "metric"), f"no installed metric has the value '{body.metric}'", _values_help(graph, body.metric))
        return {**plain, "uses": None, "value": "loss", "higher_is_better": False}, []
    name, value, higher = found
    metric = graph.fields_of("metrics", name, {}, where)
    return {**metric.flat(), **plain, "value": value, "higher_is_better": higher}, [metric]


def find_metric(graph: Graph, text: str, plugins: list[str], kind: str = "metrics") -> tuple[str, str, bool] | None:
    """(plugin, value, higher is better) of `PLUGIN_VALUE`, or of `PLUGIN` for a value without a name; the longest plugin's name wins."""
    for name in sorted(plugins, key=len, reverse=True):
        if found := named_values(name, graph.outline.capabilities(kind, name)).get(text):
            value, better = found
            return name, value, better == "higher"
    return None


def _values_help(graph: Graph, text: str) -> str:
    names = [value for name in graph.plugins.names("metrics") for value in named_values(name, graph.outline.capabilities("metrics", name))]
    return f"values that are known: {', '.join(names) or 'none'}, and `loss`"
