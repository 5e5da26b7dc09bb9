"""A value is named that its metric does not have.

Why: `errant` has precision, recall and F0.5, and no F1. The plugin's name is right, so that nothing else looks wrong; training would stop
early by nothing, and a gate compare nothing.

Example:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, q8]
        metrics: [errant]
        gates: {close: {model: q8, metric: errant_f1, against: teacher, margin: 0.05}}

Use instead:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, student, q8]
        metrics: [errant]
        gates: {close: {model: q8, metric: errant_f0.5, against: teacher, margin: 0.05}}

Fix: takes the value that is spelt most like it.
"""

from collections.abc import Iterator, Mapping

from distillc.compiler.outline import Outline, Where
from distillc.compiler.rules import error, respelled
from distillc.spec.declared import named_values
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.wording import closest, did_you_mean


def check(outline: Outline) -> Iterator[Diagnostic]:
    for step in outline.of("evaluate"):
        values = _of_plugins(outline, [metric["uses"] for metric in step.body.get("metrics") or ()])
        for name, judge in (step.body.get("judges") or {}).items():
            values[name] = list(named_values(name, outline.capabilities("judges", judge["uses"])))
        for gate, body in (step.body.get("gates") or {}).items():
            yield from _finding(outline, (*step.where, "gates", gate, "metric"), body["metric"], values)
    for step in outline.of("train"):
        stopping = step.body.get("early_stopping")
        if stopping and stopping["metric"] != "loss":
            values = _of_plugins(outline, outline.plugins.names("metrics"))
            yield from _finding(outline, (*step.where, "early_stopping", "metric"), stopping["metric"], values)


def _of_plugins(outline: Outline, plugins: list[str]) -> dict[str, list[str]]:
    return {name: list(named_values(name, outline.capabilities("metrics", name))) for name in plugins}


def _finding(outline: Outline, where: Where, text: str, values: Mapping[str, list[str]]) -> Iterator[Diagnostic]:
    """A name that begins with no metric's here is another rule's."""
    owners = [name for name in values if text == name or text.startswith(f"{name}_")]
    if not owners or any(text in names for names in values.values()):
        return
    owner = max(owners, key=len)
    near = closest(text, values[owner])
    fix = respelled(outline.span(where), text, near) if near else None
    yield error(outline, "D655", where, f"`{owner}` has no value `{text}`", did_you_mean(text, values[owner], "it has") or "", fix=fix)
