"""A model is tested on rows that it, a model it descends from, or one that taught it was trained on.

Why: such a number says how well rows are remembered, and a teacher hands on what it remembers. Splits keep the two apart: train on
`NAME.train`, test on `NAME.test`; what comes from elsewhere and may overlap belongs through the curator `decontaminate`. Benchmarks that
leaked into training have cost whole leaderboards their meaning. https://arxiv.org/abs/2311.04850 Where curators stand between, they may
keep the two apart, and rows that early stopping chose by flatter the model only a little: both are warnings. All else is an error.

Example:

    train: {student: {model: small, data: pairs, losses: {hard: cross_entropy}}}
    evaluate: {test: {data: pairs.train, models: [small, student, q8], metrics: [exact_match]}}

Use instead:

    train: {student: {model: small, data: pairs, losses: {hard: cross_entropy}}}
    evaluate: {test: {data: pairs.test, models: [small, student, q8], metrics: [exact_match]}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline, Where
from distillc.compiler.outline.steps import Step
from distillc.compiler.rules import error, label, warning
from distillc.compiler.rules.validation_meets_training import validates_on_training
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.references import split_name

_HELP = "test on another split, or on rows that come from elsewhere"


def check(outline: Outline) -> Iterator[Diagnostic]:
    for train, where, reference in tests(outline):
        data = train.body["data"]
        if not held_out(train) and meets(outline, data, "train", reference):
            related = label(outline, (*train.where, "data"), f"what `{train.name}` is trained on")
            if certainly(outline, data, reference):
                message = f"`{reference}` tests on rows that `{train.name}` is trained on"
                yield error(outline, "D350", where, message, _HELP, related=related)
            else:
                message = (
                    f"`{reference}` may test on rows that `{train.name}` is trained on: nothing here says that curators keep them apart"
                )
                yield warning(outline, "D350", where, message, _HELP, related=related)
        elif train.body.get("validation") and _stops_by(outline, train, reference):
            related = label(outline, (*train.where, "validation"), f"what `{train.name}` stops early by")
            message = f"`{reference}` tests on rows that `{train.name}` stops early by"
            yield warning(outline, "D350", where, message, _HELP, related=related)


def tests(outline: Outline) -> Iterator[tuple[Step, Where, str]]:
    """The train steps behind the models of each evaluation, with each of its test sets: the place and the reference."""
    trained = {step.name: step for step in outline.of("train")}
    for step in outline.of("evaluate"):
        behind = dict.fromkeys(other for model in step.body["models"] for other in outline.behind(model) if other in trained)
        for where, reference in step.data_sets():
            for name in behind:
                yield trained[name], where, reference


def _stops_by(outline: Outline, train: Step, test: str) -> bool:
    """Whether weights are chosen by rows of a test set. Where those are training rows, that is the mistake, and another rule's (D351)."""
    chosen = train.body.get("early_stopping") and not validates_on_training(outline, train)
    return bool(chosen) and meets(outline, train.body["validation"], None, test)


def held_out(train: Step) -> bool:
    """Whether it says itself that it is trained on rows that were held out: that is D454, and all that follows from it."""
    return split_name(train.body["data"])[1] in ("validation", "test")


def meets(outline: Outline, learned: str, bare: str | None, test: str) -> bool:
    """Whether rows that a model learned from (`bare`: the split that their bare name means) meet a test set, and are not cleaned of it."""
    cleaned = split_name(test)[0] in outline.rows[split_name(learned)[0]].cleaned_of
    return not cleaned and outline.meet(learned, bare, test, "test")


def certainly(outline: Outline, learned: str, test: str) -> bool:
    """Whether nothing between the data and either of the two takes rows out."""
    return all(outline.rows[split_name(reference)[0]].unsifted for reference in (learned, test))
