"""From a spec file to a plan: lint, lower, check, address, estimate, lock.

Nothing here runs a model or imports an implementation: config classes, manifests and headers of files are all that is read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from distillc.compiler import lock, rules
from distillc.compiler.document import Document
from distillc.compiler.estimate import Estimates
from distillc.compiler.keys import result_config, stage_key
from distillc.compiler.lower.deploy import lower_deploy
from distillc.compiler.lower.evaluate import lower_evaluate
from distillc.compiler.lower.graph import Draft, Graph, Step
from distillc.compiler.lower.models import lower_model, lower_quantize
from distillc.compiler.lower.overlap import before_training
from distillc.compiler.lower.rows import lower_curate, lower_data, lower_generate
from distillc.compiler.lower.train import lower_capture, lower_train
from distillc.compiler.outline import Outline
from distillc.compiler.plan import Input, Plan, Stage
from distillc.compiler.plugins import Plugins
from distillc.compiler.rules import unsupported
from distillc.compiler.world import World
from distillc.spec.diagnostic import Diagnostic, Severity
from distillc.spec.errors import DistillError, InvalidSpec
from distillc.spec.rules import Context
from distillc.spec.suppress import EVERYTHING, Policy

LOWER: Mapping[str, Callable[[Graph, Any, Any], None]] = {
    "data": lower_data,
    "generate": lower_generate,
    "curate": lower_curate,
    "capture": lower_capture,
    "models": lower_model,
    "train": lower_train,
    "quantize": lower_quantize,
    "evaluate": lower_evaluate,
    "deploy": lower_deploy,
}


def compile_document(
    document: Document, context: Context, plugins: Plugins, folder: Path, *, overrides: Sequence[str] = (), policy: Policy = EVERYTHING
) -> tuple[Plan, tuple[Diagnostic, ...]]:
    """The plan of a linted spec, and the warnings about it.

    Args:
        context: what the language's rules saw of the spec, which has no error.
        folder: the spec's, where its relative paths start.
        overrides: what `document` was resolved with, for the record.
        policy: which findings of rules are shown; those of lowering, without which there is no plan, always are.

    Raises:
        InvalidSpec: with every finding of error level; warnings come with them.
    """
    document = replace(document, overrides=tuple(overrides))
    world = World(plugins, folder)
    outline = Outline(context, plugins, world)
    graph = lower(document, outline, plugins, folder)
    for where, error in world.unreadable:
        graph.error("D153", where, error.message, error.help)
    findings = tuple(sorted(dict.fromkeys([*graph.findings, *policy.shown(rules.check(outline)[0])]), key=_place))
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise InvalidSpec(findings)
    locked = _lock(graph, world)
    runtime = document.spec.runtime
    stages, aliases = _address(graph, lock.to_text(locked))
    plan = Plan(
        name=document.spec.name,
        spec=Path(document.file).name,
        spec_text=document.text,
        stages=stages,
        origins={id: draft.origin for id, draft in graph.drafts.items()},
        lock=locked,
        profile=document.profile,
        overrides=document.overrides,
        aliases=aliases,
        runtime={"uses": runtime.uses, **runtime.fields},
    )
    return plan, findings


def lower(document: Document, outline: Outline, plugins: Plugins, folder: Path) -> Graph:
    """All steps as drafts of stages; what is wrong stands in the graph's findings. Of what is not supported yet, nothing is lowered."""
    graph = Graph(document, outline, plugins, folder)
    if outline.root.get("matrix") is not None:
        graph.error("D151", ("matrix",), "`matrix` is not supported by this version of distillc yet", "take it out, or use a newer version")
    if graph.findings or any(unsupported.check(outline)):
        return graph
    graph.fields("executors", document.spec.runtime, ("runtime",))
    for step in outline.order:
        body = getattr(document.spec, step.section)[step.name]
        LOWER[step.section](graph, Step(step.section, step.name, body), body)
    if not graph.findings:
        graph.drafts = before_training(graph.drafts)
    return graph


def _address(graph: Graph, lock_text: str) -> tuple[tuple[Stage, ...], dict[str, str]]:
    """Stages with their keys and estimates. Of stages with equal keys the first stays, and the others' readers read it."""
    stages: list[Stage] = []
    keys: dict[str, str] = {}
    first: dict[str, str] = {}
    aliases: dict[str, str] = {}
    estimates = Estimates({}, _own_estimate(graph))
    for draft in graph.drafts.values():
        inputs = {port: Input(aliases.get(entry.stage, entry.stage), entry.split) for port, entry in draft.inputs.items()}
        config = {**draft.config, "lock": lock_text} if draft.kind == "bundle" else draft.config
        relevant = result_config(draft.kind, draft.uses, config, graph.marks)
        key = stage_key(draft.kind, draft.uses, relevant, {port: (keys[entry.stage], entry.split) for port, entry in inputs.items()})
        keys[draft.id] = key
        if key in first:
            aliases[draft.id] = first[key]
            continue
        first[key] = draft.id
        stages.append(estimates.of(_stage(graph, draft, config, inputs, key)))
    return tuple(stages), aliases


def _stage(graph: Graph, draft: Draft, config: Mapping[str, Any], inputs: Mapping[str, Input], key: str) -> Stage:
    return Stage(
        id=draft.id, kind=draft.kind, uses=draft.uses, config=config, inputs=inputs, key=key, line=graph.document.line(draft.where)
    )


def _own_estimate(graph: Graph) -> Callable[[str, str, Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]:
    def ask(kind: str, name: str, config: Mapping[str, Any], inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        if name not in graph.plugins.names(kind):
            return {}
        config_class = graph.plugins.config_class(kind, name)
        if not callable(getattr(config_class, "estimate", None)):
            return {}
        known = config_class.model_fields
        said = config_class.model_validate({key: value for key, value in config.items() if key in known}).estimate(inputs)
        return said if isinstance(said, Mapping) else {}

    return ask


def _lock(graph: Graph, world: World) -> dict[str, Any]:
    plugins = {}
    for kind, name in graph.outline.used:
        if kind == "executors":  # where it runs changes no result, so it is not pinned
            continue
        try:
            entry = graph.plugins.entry(kind, name)
        except DistillError:
            continue
        plugins[f"{kind}.{name}"] = f"{entry.distribution} {entry.version}"
    return lock.make_lock(graph.leaves, world.pinned, plugins)


def _place(finding: Diagnostic) -> tuple[int, int, str, str]:
    return (
        (finding.span.line, finding.span.column, finding.code, finding.message) if finding.span else (0, 0, finding.code, finding.message)
    )
