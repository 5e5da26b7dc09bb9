"""A training keeps its last weights, whatever validation says.

Why: the last weights are seldom the best. In the loss that a widely copied walk-through shows, ten epochs end 15 % above the best one,
the eighth, and its text says to take the last checkpoint (https://github.com/nebius/token-factory-cookbook, distillation-1; and why
transformers learnt to load the best model, https://github.com/huggingface/transformers/pull/7431). Validation rows alone are looked at
and reported; only `early_stopping` chooses by them, and a trainer on a platform that keeps its best checkpoint. Without any, more than
three epochs are reported.

Example:

    train:
      student: {model: small, data: clean, validation: pairs.validation, epochs: 10, losses: {hard: cross_entropy}}

Use instead:

    train:
      student:
        model: small
        data: clean
        validation: pairs.validation
        early_stopping: {patience: 3}
        epochs: 10
        losses: {hard: cross_entropy}

Fix: adds `early_stopping` with the loss on the validation rows.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import fix, insert
from distillc.spec.nodes import MappingNode, at, entries, number, text
from distillc.spec.references import split_name
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten

MOST_EPOCHS = 3
"""The language's own default: so long, nobody has asked for anything."""


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("train")):
        if not isinstance(step.value, MappingNode) or "early_stopping" in step.value.entries:
            continue
        name = shorten(step.key)
        trainer = text(at(step.value, "trainer")) or text(at(step.value, "trainer", "uses"))
        chooses = trainer is not None and context.table.capabilities("trainers", trainer).get("best_checkpoint")
        validation, epochs = step.value.entries.get("validation"), step.value.entries.get("epochs")
        if validation:
            if chooses or _names_training_rows(step.value):  # to keep the best of those would be no better: another rule speaks
                continue
            mend = fix(context, "stop early, and keep the best", insert(step.value, "validation", "early_stopping: {patience: 3}"))
            message = f"`{name}` looks at validation rows, and keeps its last weights all the same"
            yield warning("D402", message, validation.key_span, "add `early_stopping: {patience: 3}` to keep the best", fix=mend)
        elif epochs and (number(epochs.value) or 0) > MOST_EPOCHS and "steps" not in step.value.entries:
            message = f"`{name}` trains for {number(epochs.value):g} epochs and keeps its last weights"
            help = "add `validation: NAME.validation`" + ("" if chooses else " and `early_stopping: {patience: 3}`")
            yield warning("D402", message, epochs.value.span, help)


def _names_training_rows(train: MappingNode) -> bool:
    (name, split), (own, _) = (split_name(text(train.get(key)) or "") for key in ("validation", "data"))
    return name == own and split in (None, "train")
