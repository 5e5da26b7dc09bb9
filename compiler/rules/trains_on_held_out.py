"""A model is trained on the split that was held out.

Why: under `data`, `NAME.test` and `NAME.validation` are the rows that a split keeps away from training: a handful of rows, and those that
the proof rests on. A bare name means the training rows. Where a test set of the model has those rows, its number says nothing: that is an
error.

Example:

    train:
      student: {model: small, data: pairs.test, losses: {hard: cross_entropy}}

Use instead:

    train:
      student: {model: small, data: pairs, losses: {hard: cross_entropy}}

Fix: names the training rows.
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import error, label, respelled, warning
from distillc.compiler.rules.test_meets_training import certainly, held_out, meets, tests
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.references import split_name


def check(outline: Outline) -> Iterator[Diagnostic]:
    steps = [step for step in outline.of("train") if held_out(step)]
    tested = list(tests(outline)) if steps else []
    for step in steps:
        data = step.body["data"]
        name, split = split_name(data)
        where = (*step.where, "data")
        message = f"`{step.name}` is trained on the {split} rows of `{name}`"
        help = f"write `{name}` for its training rows"
        fix = respelled(outline.span(where), data, name)
        places = (place for train, place, reference in tested if train is step and meets(outline, data, split, reference))
        certain = (
            place for train, place, test in tested if train is step and meets(outline, data, split, test) and certainly(outline, data, test)
        )
        if place := next(certain, None):
            related = label(outline, place, "tested on them")
            yield error(outline, "D454", where, f"{message}, and tested on them", help, related=related, fix=fix)
        else:
            related = tuple(each for place in places for each in label(outline, place, "may be tested on them"))[:1]
            yield warning(outline, "D454", where, message, help, related=related, fix=fix)
