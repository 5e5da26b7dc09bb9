"""A step refers to something that no step defines, or to a thing of another kind.

`from`, `data` and `validation` name rows (steps of data, generate, curate), `model`, `teacher` and `against` name models
(steps of models, train, quantize, choose), `needs` names gates. Rows may be followed by a split: `pairs.test`.

    train:
      student: {model: small, data: clen, …}      # D201: did you mean `clean`?
      refined: {model: clean, …}                   # D202: `clean` is rows, not a model
"""

from collections.abc import Iterator

from distillc.spec.check import Reference
from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.references import SPLITS, WORDS, split_name
from distillc.spec.rules import Context, error
from distillc.spec.wording import did_you_mean, shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for reference in context.references:
        if reference.expects != "metric":
            yield from _check(reference, context)


def _check(reference: Reference, context: Context) -> Iterator[Diagnostic]:
    name, split = split_name(reference.text)
    definition = context.definitions.get(name)
    wanted = WORDS[reference.expects]
    if definition is None:
        names = [each.name for each in context.definitions.values() if each.kind == reference.expects]
        help = did_you_mean(name, names, f"{_plural(reference.expects)} here") or f"the spec defines no {_plural(reference.expects)}"
        yield error(
            "D201",
            f"there {'are no rows' if reference.expects == 'rows' else f'is no {reference.expects}'} called `{shorten(name)}`",
            reference.span,
            help,
        )
    elif definition.kind != reference.expects:
        names = [each.name for each in context.definitions.values() if each.kind == reference.expects]
        label = Label(definition.span, "defined here")
        message = f"`{shorten(name)}` is {WORDS[definition.kind]}, not {wanted}"
        yield error("D202", message, reference.span, did_you_mean(name, names, f"{_plural(reference.expects)} here"), related=(label,))
    elif split is not None and reference.expects != "rows":
        yield error("D206", f"{wanted} has no split", reference.span, f"write `{shorten(name)}`")
    elif split is not None and split not in SPLITS:
        yield error("D206", f"there is no split `{shorten(split)}`", reference.span, did_you_mean(split, SPLITS, "one of"))


def _plural(kind: str) -> str:
    return kind if kind == "rows" else f"{kind}s"
