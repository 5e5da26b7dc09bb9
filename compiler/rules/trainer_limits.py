"""A train step asks for what its trainer cannot do.

Why: a platform that tunes models has fewer keys than a training on this machine, in narrower ranges, and one loss. Some APIs pass over
what they do not know and train all the same, at full price: with `learning_rate_multiplier` for `learning_rate`, say, or with a rank that
they call otherwise (https://github.com/nebius/token-factory-cookbook has both). They train every epoch, too: a `patience` stops nothing
there, and is reported. The best checkpoint is kept wherever there are validation rows. A step that says nothing of `lora` is warned of: all
weights are tuned then, which takes longer, forgets more, and cannot be served as adapters are.

Example:

    models:
      open: {uses: nebius, name: Qwen/Qwen3-4B}
    train:
      tuned:
        model: open
        data: clean
        steps: 300
        batch: 128
        trainer: nebius.fine_tuning
        losses: {hard: {uses: cross_entropy, label_smoothing: 0.1}}

Use instead:

    models:
      open: {uses: nebius, name: Qwen/Qwen3-4B}
    train:
      tuned:
        model: open
        data: clean
        validation: pairs.validation
        epochs: 3
        batch: 32
        lora: {r: 16, alpha: 16}
        trainer: nebius.fine_tuning
        losses: {hard: cross_entropy}
"""

from collections.abc import Iterator, Mapping
from typing import Any

from distillc.compiler.outline import Outline
from distillc.compiler.outline.steps import Step
from distillc.compiler.rules import error, label, warning
from distillc.spec.diagnostic import Diagnostic

KEYS = ("epochs", "steps", "batch", "learning_rate", "warmup", "weight_decay", "max_grad_norm", "evaluate_every", "early_stopping")
"""The keys of a train step that say how it trains. Those that no version can run yet are another rule's."""
OF_ANY_LOSS = ("uses", "weight", "teacher")


def check(outline: Outline) -> Iterator[Diagnostic]:
    for step in outline.of("train"):
        can = outline.capabilities("trainers", step.body["trainer"]["uses"])
        if "takes" in can:
            yield from _keys(outline, step, can["takes"])
            yield from _losses(outline, step, can.get("losses", ()))
            yield from _stopping(outline, step)
            yield from _all_weights(outline, step, can["takes"])
            yield from _other_api(outline, step, can.get("dialects", ()))


def _keys(outline: Outline, step: Step, takes: Mapping[str, Mapping[str, Any]]) -> Iterator[Diagnostic]:
    trainer = step.body["trainer"]["uses"]
    for key in KEYS:
        if key not in takes and outline.exists((*step.where, key)):
            known = ", ".join(name for name in takes if "." not in name)
            yield error(outline, "D455", (*step.where, key), f"trainer `{trainer}` has no `{key}`", f"take it out: there are {known}")
    for name, limits in takes.items():
        path = name.split(".")
        value: Any = step.body
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        least, most = limits.get("least"), limits.get("most")
        if isinstance(value, int | float) and not _within(value, limits):
            kind = "a whole number" if limits.get("whole") else "a number"
            bounds = [f"from {least:g}"] if least is not None else []
            bounds += [f"up to {most:g}"] if most is not None else []
            message = f"trainer `{trainer}` takes no `{name}` of {value:g}"
            yield error(outline, "D455", (*step.where, *path), message, f"write {kind} {' '.join(bounds)}")


def _within(value: float, limits: Mapping[str, Any]) -> bool:
    whole = not limits.get("whole") or value == int(value)
    return whole and limits.get("least", value) <= value <= limits.get("most", value)


def _losses(outline: Outline, step: Step, losses: Any) -> Iterator[Diagnostic]:
    trainer = step.body["trainer"]["uses"]
    for name, loss in step.body["losses"].items():
        where = (*step.where, "losses", name)
        if outline.is_soft(loss["uses"]):  # another rule speaks
            continue
        if loss["uses"] not in losses:
            message = f"trainer `{trainer}` does not know the loss `{loss['uses']}`"
            yield error(outline, "D455", where, message, f"use {' or '.join(losses)}, or train with `trainer: local`")
        for key in loss:
            if key not in OF_ANY_LOSS and outline.exists((*where, key)):
                message = f"trainer `{trainer}` has no `{key}` for its loss"
                yield error(outline, "D455", (*where, key), message, "take it out, or train with `trainer: local`")


def _stopping(outline: Outline, step: Step) -> Iterator[Diagnostic]:
    trainer, stopping = step.body["trainer"]["uses"], step.body.get("early_stopping")
    if stopping is None:
        return
    where = (*step.where, "early_stopping")
    if stopping["metric"] != "loss":
        message = f"trainer `{trainer}` sees no answers while it trains, and `{stopping['metric']}` is computed from answers"
        yield error(outline, "D455", (*where, "metric"), message, "take it out: the best checkpoint by the loss on validation rows is kept")
    elif outline.exists(where):
        message = f"trainer `{trainer}` trains all epochs: `early_stopping` ends nothing early"
        yield warning(outline, "D455", where, message, "take it out: the best checkpoint by the loss on validation rows is kept anyway")


def _all_weights(outline: Outline, step: Step, takes: Mapping[str, Any]) -> Iterator[Diagnostic]:
    if "lora" in takes and not outline.exists((*step.where, "lora")):
        message = f"`{step.name}` says nothing of `lora`: trainer `{step.body['trainer']['uses']}` tunes all weights then"
        help = "write `lora: {r: 16, alpha: 16}`, or `lora: null` where all weights are meant"
        yield warning(outline, "D455", step.where, message, help)


def _other_api(outline: Outline, step: Step, dialects: Any) -> Iterator[Diagnostic]:
    trainer, model = step.body["trainer"]["uses"], outline.models[outline.models[step.name].root]
    dialect = outline.declared("teachers", {**model.fields, "uses": model.uses}, "dialect") if model.kind == "teachers" else None
    if dialect is not None and dialect not in dialects:
        message = f"trainer `{trainer}` speaks another API than `{model.name}`, whose dialect is {dialect}"
        related = label(outline, model.where, "the model")
        help = f"name a model whose dialect is {' or '.join(dialects)}, or another trainer"
        yield error(outline, "D455", (*step.where, "model"), message, help, related=related)
