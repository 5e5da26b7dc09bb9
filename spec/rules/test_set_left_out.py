"""Training rows are kept apart from some test sets, and not from one that comes from elsewhere.

Why: whoever uses `decontaminate` wants no test row in training. A test set that was added to `evaluate` later, and not to `against`,
is the one that leaks. Public test sets leak so often that cleaning against each is part of every serious recipe
(https://github.com/NovaSky-AI/SkyThought/issues/34).

Example:

    data:
      essays: {uses: jsonl, path: essays.jsonl, split: {test: 500}}
    evaluate:
      test: {data: {ours: pairs.test, essays: essays.test}, models: [teacher, student], metrics: [exact_match]}

Use instead:

    data:
      essays: {uses: jsonl, path: essays.jsonl, split: {test: 500}}
    curate:
      clean: {from: answers, steps: [dedup, {uses: decontaminate, against: [pairs.test, essays.test]}]}
    evaluate:
      test: {data: {ours: pairs.test, essays: essays.test}, models: [teacher, student], metrics: [exact_match]}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import Entry, MappingNode, Node, at, entries, items, text
from distillc.spec.pedigree import pedigree
from distillc.spec.rows import kept_apart, rows_of, way
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    kept_apart = {step.key: found for step in entries(context.at("train")) if (found := _kept_apart(step, context))}
    if not kept_apart:
        return
    family = pedigree(context)
    for step in entries(context.at("evaluate")):
        models = [text(model) or "" for model in items(at(step.value, "models"))]
        behind = dict.fromkeys(ancestor for model in models for ancestor in family.ancestors(model))
        for test in _tests(at(step.value, "data")):
            reference = text(test) or ""
            rows = rows_of(reference, context)
            for train in behind:
                sources, place = kept_apart.get(train, ((), None))
                if place is not None and rows and rows.data not in sources:
                    label = Label(test.span, f"tests `{shorten(train)}` on it, or what is made from it")
                    message = f"`{shorten(train)}` is trained on rows that nothing keeps apart from `{shorten(reference)}`"
                    yield warning("D315", message, place.span, f"add `{shorten(reference)}` to `against`", related=(label,))


def _kept_apart(train: Entry, context: Context) -> tuple[set[str], Node] | None:
    """The data steps that hold no row of a train step: those that a curator looked at, and its own. None without such a curator."""
    rows = rows_of(text(at(train.value, "data")), context)
    places = [place for step in way(rows, context) for place in kept_apart(step, context)]
    others = [rows_of(text(item), context) for place in places for item in items(place) or [place]]
    sources = {step.data if step else None for step in (rows, *others)}
    return ({source for source in sources if source}, places[0]) if places and None not in sources else None


def _tests(data: Node | None) -> list[Node]:
    return [entry.value for entry in data] if isinstance(data, MappingNode) else [data] if data is not None else []
