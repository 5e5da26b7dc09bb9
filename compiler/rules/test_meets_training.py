"""A model is tested on rows that it, a model it descends from, or one that taught it was trained on.

Why: such a number says how well rows are remembered, and a teacher hands on what it remembers. Splits keep the two apart: train on
`NAME.train`, test on `NAME.test`; what comes from elsewhere and may overlap belongs through the curator `decontaminate`. Benchmarks that
leaked into training have cost whole leaderboards their meaning. https://arxiv.org/abs/2311.04850

Example:

    train: {student: {model: small, data: pairs.test, losses: {hard: cross_entropy}}}

Use instead:

    train: {student: {model: small, data: pairs.train, losses: {hard: cross_entropy}}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.outline.steps import Step
from distillc.compiler.rules import error, label
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.references import split_name

USES = {"data": "is trained on", "validation": "stops early by"}


def check(outline: Outline) -> Iterator[Diagnostic]:
    trained = {step.name: step for step in outline.of("train")}
    for step in outline.of("evaluate"):
        for where, reference in step.data_sets():
            behind = dict.fromkeys(other for model in step.body["models"] for other in outline.behind(model))
            for train in (trained[other] for other in behind if other in trained):
                if key := _meets(outline, train, reference):
                    message = f"`{reference}` tests on rows that `{train.name}` {USES[key]}"
                    help = "test on another split, or on rows that come from elsewhere"
                    related = label(outline, (*train.where, key), f"what `{train.name}` {USES[key]}")
                    yield error(outline, "D350", where, message, help, related=related)


def _meets(outline: Outline, train: Step, test: str) -> str | None:
    """The key of a train step whose rows meet those of a test set: the last, if both do."""
    found = None
    for key, bare in (("data", "train"), ("validation", None)):
        reference = train.body.get(key)
        if reference and split_name(test)[0] not in outline.rows[split_name(reference)[0]].cleaned_of:
            found = key if outline.meet(reference, bare, test, "test") else found
    return found
