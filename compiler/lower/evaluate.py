"""Lowers `evaluate`: answers under test, parity of exports, metrics, judges, speed, gates, and the report on all of it."""

from collections.abc import Iterable, Mapping
from typing import Any

from distillc.compiler.document import Where
from distillc.compiler.lower.graph import Draft, Graph, Step
from distillc.compiler.lower.overlap import lower_overlaps
from distillc.compiler.lower.rows import wire_references
from distillc.compiler.lower.train import find_metric
from distillc.compiler.outline.roles import roles
from distillc.compiler.plan import Input
from distillc.spec.declared import named_values
from distillc.spec.model import EvaluateStep, Gate

ANSWERER = "answer"
"""The generator that asks a model; answers under test are made by the same plugin as answers to learn from."""


def lower_evaluate(graph: Graph, step: Step, body: EvaluateStep) -> None:
    data = {name: graph.rows_input(reference, "test") for name, reference in body.data_sets.items()}
    models = list(dict.fromkeys(body.models))
    parities = {name: parity for name in models if (parity := lower_parity(graph, name, next(iter(data.values()))))}
    answers = {
        f"answers.{model}.{name}": Input(_answers(graph, step, body, model, name, rows, parities))
        for model in models
        for name, rows in data.items()
    }
    _metrics(graph, step, body, models, list(data), answers, lower_overlaps(graph, step, models, data))
    judges = {name: _judge(graph, step, body, name, models, list(data), answers) for name in body.judges}
    measured = [name for name in models if graph.models[name].runs_here and not _is_served(graph, name)]
    _measure(graph, step, body, measured, next(iter(data.values())), parities)
    claims = {name: _claim(graph, body, name, gate, next(iter(data))) for name, gate in body.gates.items()}
    gates = [name for name, gate in body.gates.items() if _gate(graph, step, body, name, gate, claims, judges)]
    _report(graph, step, body, models, list(data), judges, gates, bool(measured))


def _is_served(graph: Graph, name: str) -> bool:
    """Whether a model is behind a server, whose speed hangs on what else it is asked: that of its engine alone is not its own."""
    return graph.outline.is_leased((graph.models[name].engine or {}).get("uses"))


def lower_parity(graph: Graph, export: str, rows: Input) -> str | None:
    """The check that an export feeds the same token ids as the model it was made from; one an export, whoever asks first."""
    model = graph.models[export]
    stage = f"{export}/parity"
    if model.section != "quantize" or not model.has_weights:
        return None
    origin = next((name for name in graph.outline.ancestors(export)[1:] if graph.models[name].section != "quantize"), None)
    if origin is None:
        return None
    if stage not in graph.drafts:
        engine, other = graph.engine(export), graph.engine(origin)
        config = {
            "task": graph.task,
            "engine": engine.flat() if engine else None,
            "model_engine": other.flat() if other else None,
        }
        inputs = {"export": Input(export), "model": Input(origin), "rows": rows}
        graph.add(Draft(stage, "parity", None, config, inputs, export, model.where), [e for e in (engine, other) if e])
    return stage


def _answers(graph: Graph, step: Step, body: EvaluateStep, model: str, data: str, rows: Input, parities: dict[str, str]) -> str:
    inputs = {"rows": rows, "model": Input(model)}
    if model in parities:
        inputs["parity"] = Input(parities[model])
    stage = answers_stage(step.name, model, data)
    return graph.once(stage, inputs, [body, graph.models[model]], lambda: _answer(graph, step, body, model, data, inputs))


def _answer(graph: Graph, step: Step, body: EvaluateStep, model: str, data: str, inputs: dict[str, Input]) -> None:
    where = (*step.where, "models", body.models.index(model))
    answer = graph.fields_of("generators", ANSWERER, {"model": model}, where)
    engine = graph.engine(model)
    config = {
        **answer.config,
        "into": "output",
        "under_test": True,
        "data": data,
        "task": graph.task,
        "decoding": graph.decoding(body.decoding),
        "seed": graph.spec.seed,
        "limit": body.limit,
        "skip": 0,
        "engine": engine.flat() if engine else None,
    }
    stage = answers_stage(step.name, model, data)
    graph.add(Draft(stage, "generate", ANSWERER, config, inputs, step.name, where), [answer, *([engine] if engine else [])])


def answers_stage(evaluation: str, model: str, data: str) -> str:
    """The stage that makes a model's answers to a data set."""
    return f"{evaluation}/{model}/{data}"


def _metrics(
    graph: Graph,
    step: Step,
    body: EvaluateStep,
    models: list[str],
    data: list[str],
    answers: dict[str, Input],
    overlaps: dict[str, Input],
) -> None:
    metrics = [graph.fields("metrics", metric, (*step.where, "metrics", index)) for index, metric in enumerate(body.metrics)]
    config: dict[str, Any] = {
        "name": step.name,
        "metrics": [metric.flat() for metric in metrics],
        "models": models,
        "data": data,
        "seed": graph.spec.seed,
    }
    inputs = {**answers, **overlaps}
    engines = [engine for metric in metrics for engine in wire_references(graph, metric, config, inputs, f"metrics.{metric.uses}.")]
    graph.add(Draft(step.name, "evaluate", None, config, inputs, step.name, step.where), [*metrics, *engines])


def _judge(graph: Graph, step: Step, body: EvaluateStep, name: str, models: list[str], data: list[str], answers: dict[str, Input]) -> str:
    judge = body.judges[name]
    stage = f"{step.name}/{name}"
    where = (*step.where, "judges", name)
    fields = graph.fields("judges", judge, where)
    config: dict[str, Any] = {**fields.config, "name": name, "models": models, "data": data, "task": graph.task, "seed": graph.spec.seed}
    inputs = dict(answers)
    engines = wire_references(graph, fields, config, inputs)
    return graph.add(Draft(stage, "judge", judge.uses, config, inputs, step.name, where), [fields, *engines])


def _measure(graph: Graph, step: Step, body: EvaluateStep, models: list[str], rows: Input, parities: dict[str, str]) -> None:
    if not models:
        return
    engines = {name: engine for name in models if (engine := graph.engine(name))}
    config: dict[str, Any] = {
        **body.measure.model_dump(mode="json"),
        "models": models,
        "engines": {name: engine.flat() for name, engine in engines.items()},
        "task": graph.task,
        "seed": graph.spec.seed,
    }
    inputs = {f"model.{name}": Input(name) for name in models}
    inputs |= {f"parity.{name}": Input(parities[name]) for name in models if name in parities}
    inputs["rows"] = rows
    graph.add(Draft(f"{step.name}/measure", "measure", None, config, inputs, step.name, (*step.where, "measure")), engines.values())


def _claim(graph: Graph, body: EvaluateStep, name: str, gate: Gate, data: str) -> dict[str, Any] | None:
    """What a gate compares, and where its numbers stand; None for a value that the evaluation does not have."""
    if judged := find_judge(graph, body, gate.metric):
        judge, value, higher = judged
        source, uses = f"judge.{judge}", body.judges[judge].uses
    elif found := find_metric(graph, gate.metric, [metric.uses for metric in body.metrics]):
        uses, value, higher = found
        source = "evaluation"
    else:
        return None
    return {
        **gate.model_dump(mode="json", exclude={"level"}),
        "name": name,
        "source": source,
        "uses": uses,
        "value": value,
        "higher_is_better": higher,
        "data": data,
    }


def _gate(
    graph: Graph,
    step: Step,
    body: EvaluateStep,
    name: str,
    gate: Gate,
    claims: Mapping[str, dict[str, Any] | None],
    judges: dict[str, str],
) -> bool:
    """One gate. It sees the claims of all gates of its evaluation: the more of them, the less may be left to chance (Holm)."""
    where: Where = (*step.where, "gates", name)
    claim = claims[name]
    if claim is None:
        graph.error(
            "D207", (*where, "metric"), f"'{step.name}' has no value '{gate.metric}'", f"it has: {', '.join(value_names(graph, body))}"
        )
        return False
    for key in ("model", "against"):
        if getattr(gate, key) not in body.models:
            graph.error(
                "D601",
                (*where, key),
                f"'{getattr(gate, key)}' is not among the models of '{step.name}'",
                f"add it to evaluate.{step.name}.models",
            )
    family = [other for other in claims.values() if other is not None]
    sources = dict.fromkeys(str(other["source"]) for other in family)
    inputs = {"evaluation": Input(step.name)}
    inputs |= {source: Input(judges[source.removeprefix("judge.")]) for source in sources if source != "evaluation"}
    config: dict[str, Any] = {**claim, "level": gate.level, "family": family, "seed": graph.spec.seed}
    graph.add(Draft(name, "gate", None, config, inputs, step.name, where))
    return True


def find_judge(graph: Graph, body: EvaluateStep, text: str) -> tuple[str, str, bool] | None:
    """(local name, value, higher is better) of a judge's value: its local name, or `NAME_VALUE` where it has several."""
    for name, judge in body.judges.items():
        if found := _values(graph, "judges", name, judge.uses).get(text):
            value, better = found
            return name, value, better == "higher"
    return None


def value_names(graph: Graph, body: EvaluateStep) -> list[str]:
    """Every value of an evaluation, as a gate writes it: those of the metrics, then those of the judges."""
    return list(_directions(graph, body))


def _directions(graph: Graph, body: EvaluateStep) -> dict[str, str]:
    """Value -> `higher` or `lower`, whichever is better."""
    of_metrics, of_judges = _named(graph, body)
    return {**of_metrics, **of_judges}


def _named(graph: Graph, body: EvaluateStep) -> tuple[dict[str, str], dict[str, str]]:
    """The directions of the metrics' values, and of the judges'."""
    return graph.known.of(
        body,
        lambda body: (
            _ways(graph, "metrics", [(each.uses, each.uses) for each in body.metrics]),
            _ways(graph, "judges", [(name, judge.uses) for name, judge in body.judges.items()]),
        ),
    )


def _ways(graph: Graph, kind: str, named: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: better for local, uses in named for name, (_, better) in _values(graph, kind, local, uses).items()}


def _values(graph: Graph, kind: str, local: str, uses: str) -> dict[str, tuple[str, str]]:
    return named_values(local, graph.outline.capabilities(kind, uses)) if uses in graph.plugins.names(kind) else {}


def _report(
    graph: Graph,
    step: Step,
    body: EvaluateStep,
    models: list[str],
    data: list[str],
    judges: dict[str, str],
    gates: list[str],
    measured: bool,
) -> None:
    """The report reads what was found, how training went, and of each rows step what it dropped."""
    behind = {ancestor for name in models for ancestor in graph.outline.ancestors(name)}
    taught = {teacher for name in behind for teacher in graph.models[name].teachers}
    behind |= {ancestor for name in taught for ancestor in graph.outline.ancestors(name)}
    trained = [name for name, model in graph.models.items() if model.section == "train" and name in behind]
    config: dict[str, Any] = {
        "name": graph.spec.name,
        "evaluation": step.name,
        "models": models,
        "data": data,
        "roles": roles(graph.outline, models),
        "formats": {name: graph.models[name].format for name in models},
        "metrics": list(_named(graph, body)[0]),
        "judges": list(judges),
        "directions": _directions(graph, body),
        "gates": gates,
        "steps": trained,
        "profile": graph.document.profile,
        "seed": graph.spec.seed,
    }
    if graph.overrides:  # the text of the spec beside the figures says something else
        config["overrides"] = list(graph.overrides)
    inputs = {"evaluation": Input(step.name)}
    if measured:
        inputs["measure"] = Input(f"{step.name}/measure")
    inputs |= {f"judge.{name}": Input(stage) for name, stage in judges.items()}
    inputs |= {f"gate.{name}": Input(name) for name in gates}
    inputs |= {f"history.{name}": Input(name) for name in trained}
    inputs |= {f"rows.{stage}": Input(stage) for stage in _rows_behind(graph, trained)}
    graph.add(Draft(f"{step.name}/report", "report", None, config, inputs, step.name, step.where))


def _rows_behind(graph: Graph, stages: list[str]) -> list[str]:
    """The stages that made or dropped rows which these stages hang on, in the order of the plan."""
    found: set[str] = set()
    waiting = list(stages)
    while waiting:
        at = waiting.pop()
        if at not in found and at in graph.drafts:
            found.add(at)
            waiting += [ref.stage for ref in graph.drafts[at].inputs.values()]
    return [name for name, draft in graph.drafts.items() if name in found and draft.kind in ("ingest", "generate", "curate")]
