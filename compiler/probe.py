"""The probe of a spec: the same spec with one evaluation more, in which models meet that might be its teacher.

It is written in the language, as a spec that extends the one that is probed. So what holds of a run holds of it: keys, the journal of
answers, budget and privacy. Why it is a command, and no choice in the plan: docs/adr/0008.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from distillc.compiler.front import checked, compile_file
from distillc.compiler.outline import Outline
from distillc.compiler.outline.models import Model
from distillc.compiler.plan import Plan, Stage
from distillc.compiler.rules.no_price import apis, price_of, usd_of
from distillc.spec.declared import named_values
from distillc.spec.errors import UsageError
from distillc.spec.nodes import Node, at, entries, items, text, to_plain, uses
from distillc.spec.references import SPLITS, split_name
from distillc.spec.rows import Rows, all_rows
from distillc.spec.rules import Context
from distillc.spec.source import read_file
from distillc.spec.wording import did_you_mean, listing

if TYPE_CHECKING:
    from distillc.plugins.registry import Registry

STEP = "probe"


class Value(NamedTuple):
    """What a metric or a judge finds: `body` is that of an evaluation which computes it, `stage` what comes after the name of its stage."""

    body: Mapping[str, Any]
    stage: str
    higher: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """`step` evaluates `models` on at most `limit` rows of `data`; `source` is the stage that has the values of `by`.

    `batch` are the models which the spec asks in batches, and the probe does not: nobody waits an hour for 50 rows. `notes`: what was
    chosen where nothing was said.
    """

    step: str
    models: tuple[str, ...]
    by: str
    higher: bool
    source: str
    data: str
    limit: int
    batch: tuple[str, ...]
    notes: tuple[str, ...]
    plan: Plan
    folder: Path

    @property
    def answers(self) -> dict[str, Stage]:
        """The stage of each model's answers."""
        inputs = self.plan.stage(self.source).inputs
        stages = {port: self.plan.stage(ref.stage) for port, ref in inputs.items()}
        return {model: stage for model in self.models for port, stage in stages.items() if port.startswith(f"answers.{model}.")}


def compile_probe(
    path: Path,
    registry: "Registry",
    models: Sequence[str] = (),
    *,
    by: str | None = None,
    data: str | None = None,
    limit: int,
    profile: str | None = None,
    overrides: Sequence[str] = (),
) -> Probe:
    """The plan of the spec with the probe beside it; what is not said is taken from the spec.

    Raises UsageError for a name that is not there, for test rows, and where the spec says nothing to choose by; InvalidSpec.
    """
    context = checked(path, registry, profile, overrides).context
    assert context is not None
    outline = Outline(context, registry, lambda origin: None)
    names = _models(outline, models)
    by, why = (by, "") if by else _metric(context)
    value = _value(by, context, registry)
    rows, from_where = _rows(data, context) if data else _validation(context)
    step = _free(context.definitions)
    answering, decoding = _decoding(outline)
    evaluation = {"data": rows, "models": names, "limit": limit, **value.body, **({"decoding": decoding} if decoding else {})}
    spec = {"distill": 1, "extends": path.name, "evaluate": {step: evaluation}}
    if context.root.get("matrix") is not None:
        spec["matrix"] = None
    here = path.with_name(f"{STEP} of {path.name}")
    sync = [f"{place}.mode=sync" for name in names for place in _asked_in_batches(outline.models[name])]
    free = [f"models.{name}.price={{input: 0, output: 0, trained: 0}}" for name in _unpriced(outline) if name not in names]
    written = json.dumps(spec, indent=1, ensure_ascii=False).encode()
    compiled = compile_file(
        here,
        registry,
        profile=profile,
        overrides=(*overrides, *sync, *free),
        read=lambda file: written if file == here else read_file(file),
    )
    notes = (f"by {by}{why}", f"on {rows}{from_where}", *((f"decoded as `{answering}` is",) if decoding else ()))
    return Probe(
        step=step,
        models=tuple(names),
        by=by,
        higher=value.higher,
        source=step + value.stage,
        data=rows,
        limit=limit,
        batch=tuple(name for name in names if _asked_in_batches(outline.models[name])),
        notes=notes,
        plan=compiled.plan,
        folder=compiled.folder,
    )


def _models(outline: Outline, asked: Sequence[str]) -> list[str]:
    """Those that are named, or all of `models:` that can answer and are cut from no other."""
    entered = {name: model for name, model in outline.models.items() if model.section == "models"}
    for name in asked:
        if name in entered:
            continue
        if name in outline.models:
            raise UsageError(
                f"`{name}` is made by this spec, and a probe makes nothing",
                help="name entries of `models:`; what is made here is compared by an evaluation: distillc run --until EVALUATION",
            )
        raise UsageError(f"`models:` has no `{name}`", help=did_you_mean(name, entered, "there are") or "the spec has no models")
    found = list(dict.fromkeys(asked)) or [
        name for name, model in entered.items() if model.parent is None and outline.does(model, "generate")
    ]
    if not found:
        raise UsageError("no entry of `models:` can be asked", help="a probe asks models of APIs, local ones, recorded answers and rules")
    return found


def _metric(context: Context) -> tuple[str, str]:
    """What the spec itself decides by, and where it says so: a gate, early stopping, the first metric of an evaluation."""
    evaluations = entries(context.at("evaluate"))
    for step in evaluations:
        for gate in entries(at(step.value, "gates")):
            if metric := text(at(gate.value, "metric")):
                return metric, f", the metric of gate `{gate.key}`"
    for step in entries(context.at("train")):
        metric = text(at(step.value, "early_stopping", "metric"))
        if metric and metric != "loss":
            return metric, f", by which `{step.key}` stops"
    for step in evaluations:
        for name in filter(None, map(uses, items(at(step.value, "metrics")))):
            return next(iter(_named("metrics", name, name, context))), f", the first metric of `{step.key}`"
    values = [value for name in context.table.names("metrics") for value in _named("metrics", name, name, context)]
    raise UsageError("the spec names no metric to choose by", help=f"say what decides: --by {values[0]}; there are {listing(values)}")


def _value(by: str, context: Context, registry: "Registry") -> Value:
    """The metric as an evaluation of the spec has it, a judge of one, or a metric as it is by default."""
    known: list[str] = []
    for step in entries(context.at("evaluate")):
        for node in items(at(step.value, "metrics")):
            name = uses(node) or ""
            values = _named("metrics", name, name, context)
            if by in values:
                return Value({"metrics": [to_plain(node)]}, "", values[by][1] == "higher")
            known += values
        for judge in entries(at(step.value, "judges")):
            values = _named("judges", judge.key, uses(judge.value) or "", context)
            if by in values:
                return Value({"judges": {judge.key: to_plain(judge.value)}}, f"/{judge.key}", values[by][1] == "higher")
            known += values
    for name in registry.names("metrics"):
        values = _named("metrics", name, name, context)
        if by in values:
            return Value({"metrics": [name]}, "", values[by][1] == "higher")
        known += values
    raise UsageError(f"--by: there is no metric `{by}`", help=did_you_mean(by, known, "there are"))


def _named(kind: str, local: str, name: str, context: Context) -> dict[str, tuple[str, str]]:
    return named_values(local, context.table.capabilities(kind, name))


def _rows(asked: str, context: Context) -> tuple[str, str]:
    """A reference to rows that a choice may be made by, and whose answers they take for gold. A bare name means its validation rows."""
    known = all_rows(context)
    name, split = split_name(asked)
    if name not in known:
        raise UsageError(f"--data: there are no rows `{name}`", help=did_you_mean(name, known, "there are"))
    if split is not None and split not in SPLITS:
        raise UsageError(f"--data: there is no split `{split}`", help=did_you_mean(split, SPLITS, "splits"))
    splits = known[name].splits
    if split == "test" or splits == ("test",):
        raise UsageError(
            f"--data: `{asked}` are test rows, and the choice would be made by them",
            help="choose by validation rows; test rows are for the proof alone (distillc explain D613)",
        )
    split = split or "validation"
    if split not in splits:
        others = " or ".join(f"`{name}.{other}`" for other in splits if other != "test")
        raise UsageError(f"--data: `{name}` has no {split} rows", help=f"take {others}, or give its source a split")
    teachers = known[name].teachers if known[name].answered else ()
    return f"{name}.{split}", f", whose targets are answers of {', '.join(f'`{one}`' for one in teachers)}" if teachers else ""


def _validation(context: Context) -> tuple[str, str]:
    """Validation rows with gold: those that a training stops by, else the first that there are."""
    known = all_rows(context)
    for step in entries(context.at("train")):
        name, split = split_name(text(at(step.value, "validation")) or "")
        rows = known.get(name)
        if rows and _has_gold(rows) and split != "test":
            split = split or next((one for one in ("validation", "train") if one in rows.splits), None)
            if split:
                return f"{name}.{split}", f", the validation rows of `{step.key}`"
    for name in context.definitions:
        rows = known.get(name)
        if rows and "validation" in rows.splits and _has_gold(rows):
            return f"{name}.validation", ", the first validation rows with gold"
    raise UsageError(
        "the spec has no validation rows with gold to choose by",
        help="give a source some (`split: {validation: 100}`), or name rows: --data NAME.SPLIT",
    )


def _has_gold(rows: Rows) -> bool:
    """As far as plugins declare it: the targets are there, and no model wrote them."""
    return rows.bare is None and not rows.teachers


def _decoding(outline: Outline) -> tuple[str, Any]:
    """The first step that has a model answer, and the decoding that it says: a teacher is to be seen as it will teach."""
    for step in outline.of("generate"):
        for node in items(at(step.node, "steps")):
            if "answers" in outline.capabilities("generators", uses(node) or ""):
                found = at(node, "decoding")
                return step.name, to_plain(found) if isinstance(found, Node) else None
    return "", None


def _asked_in_batches(model: Model) -> list[str]:
    """The places that say so."""
    place = f"models.{model.name}"
    said = [(place, model.fields), (f"{place}.engine", model.engine or {})]
    return [where for where, fields in said if fields.get("mode") == "batch"]


def _unpriced(outline: Outline) -> list[str]:
    """The models that D851 is about: money is limited, and nobody says what they cost. A probe that does not ask them pays them nothing."""
    return [model.name for model in apis(outline) if usd_of(outline) is not None and price_of(model) is None]


def _free(taken: Mapping[str, Any]) -> str:
    name, number = STEP, 2
    while name in taken:
        name, number = f"{STEP}_{number}", number + 1
    return name
