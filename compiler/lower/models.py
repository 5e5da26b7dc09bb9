"""Lowers `models` and `quantize`: weights that are fetched, cut and made small, with what is known of them beforehand."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from distillc.compiler.facts.locate import NotLocated, locate
from distillc.compiler.facts.model import ModelFacts, read_facts
from distillc.compiler.lower.graph import Draft, Fields, Graph, ModelStep
from distillc.compiler.lower.order import Step, model_kind
from distillc.compiler.lower.rows import wire_references
from distillc.compiler.plan import Input
from distillc.spec.errors import UsageError
from distillc.spec.model import ModelStep as ModelBody
from distillc.spec.model import QuantizeStep


def lower_model(graph: Graph, step: Step, body: ModelBody) -> None:
    kind = model_kind(graph, body)
    found = graph.fields(kind, body, step.where)
    parent = graph.models.get(body.from_) if body.from_ else None
    config: dict[str, Any] = {
        **found.config,
        "name": step.name,
        "from": body.from_,
        "family": body.family,
        "license": body.license,
        "seed": graph.spec.seed,
    }
    config.setdefault("revisions", {})
    inputs = {"model": Input(parent.stage)} if parent else {}
    engines = wire_references(graph, found, config, inputs)
    graph.add(Draft(step.name, "build-model", body.uses, config, inputs, step.name, step.where), [found, *engines])
    facts = _with(parent.facts if parent else _file_facts(graph, kind, found), graph.config_facts(kind, found, _inputs(parent)))
    graph.models[step.name] = ModelStep(
        name=step.name,
        stage=step.name,
        section="models",
        uses=body.uses,
        format=_capability(graph, kind, body.uses, "format") or (parent.format if parent else facts.format),
        where=step.where,
        parent=parent.name if parent else None,
        family=body.family or (parent.family if parent else None),
        license=body.license or (parent.license if parent else facts.license),
        families=_families(body.family, parent),
        facts=facts,
        engine=body.engine,
        teachers=parent.teachers if parent else (),
        config=found.config,
    )


def lower_quantize(graph: Graph, step: Step, body: QuantizeStep) -> None:
    found = graph.fields("quantizers", body, step.where)
    parent = graph.models.get(body.from_)
    config: dict[str, Any] = {**found.config, "name": step.name, "from": body.from_}
    inputs = {"model": graph.model_input(body.from_)}
    engines = wire_references(graph, found, config, inputs)
    graph.add(Draft(step.name, "quantize", body.uses, config, inputs, step.name, step.where), [found, *engines])
    known = graph.config_facts("quantizers", found, _inputs(parent))
    graph.models[step.name] = ModelStep(
        name=step.name,
        stage=step.name,
        section="quantize",
        uses=body.uses,
        format=_text(known.get("format")) or _capability(graph, "quantizers", body.uses, "writes"),
        where=step.where,
        parent=body.from_,
        family=parent.family if parent else None,
        license=parent.license if parent else None,
        families=parent.families if parent else (),
        facts=_with(parent.facts if parent else ModelFacts(), known),
        engine=body.engine,
        teachers=parent.teachers if parent else (),
        config={**found.config, **known},
    )


def _file_facts(graph: Graph, kind: str, found: Fields) -> ModelFacts:
    """What the first readable file or folder in a model's fields says; a damaged one is a finding."""
    for marked in graph.marks(kind, found.uses):
        path = found.config.get(marked.field)
        if marked.mark == "file" and isinstance(path, str):
            try:
                return read_facts(locate(path, graph.folder))
            except NotLocated:
                continue  # `revisions` has said so already
            except UsageError as error:
                graph.error("D153", ("models",), error.message, error.help)
    return ModelFacts()


def _inputs(parent: ModelStep | None) -> dict[str, Any]:
    """What `facts(inputs)` of a config class gets: the facts of the model it is made from."""
    return {"model": asdict(parent.facts) | {"format": parent.format}} if parent else {}


def _with(facts: ModelFacts, known: Mapping[str, Any]) -> ModelFacts:
    names = {field.name for field in fields(ModelFacts)}
    return replace(facts, **{key: value for key, value in known.items() if key in names and value is not None})


def _families(own: str | None, parent: ModelStep | None) -> tuple[str, ...]:
    inherited = parent.families if parent else ()
    return tuple(dict.fromkeys((own, *inherited) if own else inherited))


def _capability(graph: Graph, kind: str, name: str, capability: str) -> str | None:
    try:
        return _text(graph.plugins.manifest(kind, name).capabilities.get(capability))
    except UsageError:
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
