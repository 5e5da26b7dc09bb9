"""The name of a metric leads to no metric.

Why: a metric's values are called PLUGIN (`exact_match`) or PLUGIN_VALUE (`errant_f0.5`); a judge's value has the name that the evaluation
gives the judge. Early stopping may also say `loss`. A gate compares what its own evaluation computes: one that names anything else would
have nothing to compare when all training is done.

Example:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, q8]
        metrics: [errant]
        gates: {close: {model: q8, metric: gleu, against: teacher}}

Use instead:

    evaluate:
      test:
        data: pairs.test
        models: [teacher, q8]
        metrics: [errant, gleu]
        gates: {close: {model: q8, metric: gleu, against: teacher}}

Fix: writes the nearest name, or adds the metric to those of the evaluation. Unsafe: it may have been meant otherwise.
"""

from collections.abc import Iterator

from distillc.spec.check import Reference
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import append, fix
from distillc.spec.nodes import entries, items, uses
from distillc.spec.rules import Context, error
from distillc.spec.wording import closest, did_you_mean, shorten


def check(context: Context) -> Iterator[Diagnostic]:
    installed = set(context.table.names("metrics"))
    for reference in context.references:
        if reference.expects != "metric":
            continue
        if "gates" in reference.path:
            yield from _gate(reference, context, installed)
        elif (reference.text != "loss" or "early_stopping" not in reference.path) and not _plugin(reference.text, installed):
            yield _unknown(reference, {*installed, "loss"})


def _gate(reference: Reference, context: Context, installed: set[str]) -> Iterator[Diagnostic]:
    step = context.at(*reference.path[:2])
    evaluation = context.at(*reference.path[:2], "metrics")
    computed = {name for item in items(evaluation) if (name := uses(item))}
    judges = {judge.key for judge in entries(context.at(*reference.path[:2], "judges"))}
    if step is None or _plugin(reference.text, judges) or _plugin(reference.text, computed):
        return
    if _plugin(reference.text, installed):
        plugin = _plugin(reference.text, installed)
        added = fix(context, f"add `{plugin}` to `metrics`", append(evaluation, str(plugin)))
        message = f"this evaluation does not compute `{shorten(reference.text)}`"
        yield error("D207", message, reference.span, f"add `{plugin}` to its `metrics`", fix=added)
    else:
        yield _unknown(reference, computed | judges)


def _plugin(text: str, plugins: set[str]) -> str | None:
    """The plugin whose value `text` is: the longest name that it begins with."""
    fitting = [name for name in plugins if text == name or text.startswith(f"{name}_")]
    return max(fitting, key=len, default=None)


def _unknown(reference: Reference, names: set[str]) -> Diagnostic:
    from distillc.spec.fixes import respelled

    near = _near(reference.text, names)
    help = f"did you mean `{shorten(near)}`?" if near else did_you_mean(reference.text, names, "one of")
    guess = respelled(reference.span, reference.text, near) if near else None
    return error("D207", f"there is no metric `{shorten(reference.text)}`", reference.span, help, fix=guess)


def _near(text: str, names: set[str]) -> str | None:
    """The value part of `errnat_f0.5` is kept when only the plugin's name is wrong."""
    for cut in (i for i, character in enumerate(text[:60]) if character == "_"):
        near = closest(text[:cut], names)
        if near:
            return near + text[cut:]
    return closest(text, names)
