"""A model is to be trained, cut or quantized, and has no weights in a form that can be.

Why: that takes a Hugging Face folder. Rules have no weights, and exports are made once, at the end: what is trained after them would be
trained on weights that were rounded already. A platform that tunes models tunes its own, which have no weights here.

Example:

    train: {more: {model: q8, data: pairs, losses: {hard: cross_entropy}}}

Use instead:

    train: {more: {model: student, data: pairs, losses: {hard: cross_entropy}}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.outline.models import TRAINED_FORMAT, trained_format
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic

CHANGES = {"train": "trained", "quantize": "quantized", "models": "cut"}


def check(outline: Outline) -> Iterator[Diagnostic]:
    for model in outline.models.values():
        parent = outline.models[model.parent] if model.parent else None
        wanted = trained_format(outline, model.uses) if model.section == "train" else TRAINED_FORMAT
        if parent is None or outline.known(parent, "format") in (wanted, None):
            continue
        where = (*model.where, "model" if model.section == "train" else "from")
        by = "" if wanted == TRAINED_FORMAT else f" by `{model.uses}`"
        message = f"`{parent.name}` cannot be {CHANGES[model.section]}{by}: its format is {parent.format}"
        help = (
            "name a model with weights in a Hugging Face folder" if wanted == TRAINED_FORMAT else "name a model of that API, or train here"
        )
        yield error(outline, "D552", where, message, help)
