"""A soft loss stands on a trainer that takes hard targets alone.

Why: fine-tuning services train on texts; a teacher's distribution cannot be handed to them. Train here, or learn from the teacher's
answers with a hard loss.

Example:

    train: {student: {model: small, data: clean, trainer: nebius.fine_tuning, losses: {soft: {uses: forward_kl, teacher: teacher}}}}

Use instead:

    train: {student: {model: small, data: clean, losses: {soft: {uses: forward_kl, teacher: teacher}}}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic


def check(outline: Outline) -> Iterator[Diagnostic]:
    for step in outline.of("train"):
        trainer = step.body["trainer"]["uses"]
        if trainer not in outline.plugins.names("trainers") or outline.capabilities("trainers", trainer).get("soft_targets"):
            continue
        for name, loss in step.body["losses"].items():
            if outline.is_soft(loss["uses"]):
                message = f"trainer `{trainer}` takes no soft targets, which `{loss['uses']}` needs"
                help = "train with `trainer: local`, or use a hard loss"
                yield error(outline, "D451", (*step.where, "losses", name), message, help)
