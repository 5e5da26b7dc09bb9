"""A model with random weights teaches.

Why: `random` makes a model for trying out whether a spec runs. What it writes is noise, and so is what is learnt from it. It belongs
into a profile (`profiles: {tiny: {models.big: {uses: random}}}`), where this is not looked at; here it was forgotten, and the run looks
like any other.

Example:

    models:
      big: {uses: random, layers: 2}
    train:
      student: {model: small, data: pairs, losses: {soft: {uses: forward_kl, teacher: big}}}

Use instead:

    models:
      big: {uses: transformers, path: models/big}
    profiles:
      tiny: {models.big: {uses: random, layers: 2}}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import entries, uses
from distillc.spec.pedigree import pedigree, teaches
from distillc.spec.rules import Context, warning
from distillc.spec.variants import in_profiles
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    random = {
        step.key: step
        for step in entries(context.at("models"))
        if uses(step.value) == "random" and not in_profiles(context.root, step.value.span)
    }
    if not random:
        return
    family = pedigree(context)
    origins = family.descended_from(random)
    for reference in context.references:
        if reference.expects != "model" or in_profiles(context.root, reference.span):
            continue
        by_loss = reference.path[0] == "train" and "losses" in reference.path
        if not by_loss and not (reference.path[0] == "generate" and teaches(reference, context)):
            continue
        origin = origins.get(reference.text)
        if origin and not family.trained(reference.text):
            label = Label(random[origin].key_span, "random")
            message = f"`{shorten(reference.text)}` teaches, and its weights are random numbers"
            yield warning("D504", message, reference.span, "train it, name another model, or keep `random` for a profile", (label,))
