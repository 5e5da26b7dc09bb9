"""A spec trains models and delivers one that descends from none of them.

Why: an export was made `from` the model that training starts from, not the one that it ends with. Everything runs, and the base model is
delivered, or its pruned layers as they are: a language model with layers cut out and no training since writes broken text
(https://arxiv.org/abs/2602.01997). An export of a pruned model is not found here but where it is quantized.

Example:

    models: {base: {uses: transformers, path: models/base}}
    train: {student: {model: base, data: clean, losses: {hard: cross_entropy}}}
    quantize: {q8: {uses: gguf, from: base}}
    deploy: {edge: {uses: bundle, from: q8}}

Use instead:

    quantize: {q8: {uses: gguf, from: student}}
    deploy: {edge: {uses: bundle, from: q8}}
"""

from collections.abc import Iterator

from distillc.spec.claims import delivered
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import entries
from distillc.spec.pedigree import pedigree
from distillc.spec.rules import Context, warning
from distillc.spec.wording import listing, shorten


def check(context: Context) -> Iterator[Diagnostic]:
    trained = [step.key for step in entries(context.at("train"))]
    for step in entries(context.at("deploy")) if trained else ():
        family = pedigree(context)
        for name, node in delivered(step.value).items():
            behind = () if family.trained(name) else family.ancestors(name)
            if not behind or any(ancestor not in family.sections for ancestor in behind):
                continue
            cut = any(context.at("models", ancestor, "from") for ancestor in behind)
            if not (cut and family.sections[name] == "quantize"):
                message = f"`{shorten(name)}` descends from no train step, and `{shorten(step.key)}` delivers it"
                yield warning("D704", message, node.span, f"deliver what was trained: {listing(trained)}, or an export of it")
