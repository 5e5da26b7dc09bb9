"""Lowers `models` and `quantize`: weights that are fetched, cut and made small."""

from typing import Any

from distillc.compiler.lower.graph import Draft, Graph, Step
from distillc.compiler.lower.rows import wire_references
from distillc.compiler.plan import Input
from distillc.spec.model import ModelStep, QuantizeStep


def lower_model(graph: Graph, step: Step, body: ModelStep) -> None:
    found = graph.fields(graph.models[step.name].kind, body, step.where)
    config: dict[str, Any] = {
        **found.config,
        "name": step.name,
        "from": body.from_,
        "family": body.family,
        "license": body.license,
        "seed": graph.spec.seed,
    }
    if "name" in found.config:  # what somebody else calls it
        config |= {"name": found.config["name"], "called": step.name}
    config.setdefault("revisions", {})
    inputs = {"model": Input(body.from_)} if body.from_ else {}
    engines = wire_references(graph, found, config, inputs)
    graph.add(Draft(step.name, "build-model", body.uses, config, inputs, step.name, step.where), [found, *engines])


def lower_quantize(graph: Graph, step: Step, body: QuantizeStep) -> None:
    found = graph.fields("quantizers", body, step.where)
    config: dict[str, Any] = {**found.config, "name": step.name, "from": body.from_}
    inputs = {"model": Input(body.from_)}
    engines = wire_references(graph, found, config, inputs)
    graph.add(Draft(step.name, "quantize", body.uses, config, inputs, step.name, step.where), [found, *engines])
