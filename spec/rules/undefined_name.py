"""A step refers to something that no step defines.

Why: `from`, `data` and `validation` name rows (steps of `data`, `generate`, `curate`), `model`, `teacher` and `against` name models
(steps of `models`, `train`, `quantize`, `choose`), and `needs` names gates. In pipelines of notebooks and scripts such a name is found
when the second one runs: a public walk-through of distillation reads a `model_name.out` that none of its notebooks writes
(https://github.com/nebius/token-factory-cookbook). The same rule finds names of another kind (D202) and splits that there are not (D206).

Example:

    train:
      student: {model: small, data: claen, validation: pairs.validation, losses: {hard: cross_entropy}}

Use instead:

    train:
      student: {model: small, data: clean, validation: pairs.validation, losses: {hard: cross_entropy}}

Fix: writes the nearest name of the kind that is wanted. Unsafe: it is a guess.
"""

from collections.abc import Iterator

from distillc.spec.check import Reference
from distillc.spec.diagnostic import Diagnostic, Fix, Label
from distillc.spec.nodes import entries
from distillc.spec.references import KINDS, SPLITS, WORDS, split_name
from distillc.spec.rules import Context, error
from distillc.spec.wording import closest, did_you_mean, shorten

MAX_SUGGESTIONS = 100
"""Looking for the nearest of 10,000 names takes long; whoever has more findings than this has another problem."""


def check(context: Context) -> Iterator[Diagnostic]:
    names: dict[str, list[str]] = {}
    for definition in context.definitions.values():
        names.setdefault(definition.kind, []).append(definition.name)
    found = 0
    waiting = _under_misspelt_sections(context)
    for reference in context.references:
        if reference.expects != "metric" and split_name(reference.text)[0] not in waiting:
            candidates = names.get(reference.expects, []) if found < MAX_SUGGESTIONS else None
            for diagnostic in _check(reference, context, candidates):
                found += 1
                yield diagnostic


def _under_misspelt_sections(context: Context) -> set[str]:
    """The steps of `dataa:`, which is found already: they will be there once it is called `data:`."""
    known = context.table.language_schema()["properties"]
    misspelt = [section for section in entries(context.root) if section.key not in known and closest(section.key, KINDS)]
    return {step.key for section in misspelt for step in entries(section.value)}


def _help(name: str, kind: str, candidates: list[str] | None) -> str | None:
    if candidates is None:
        return None
    return did_you_mean(name, candidates, f"{_plural(kind)} here") or f"the spec defines no {_plural(kind)}"


def _check(reference: Reference, context: Context, candidates: list[str] | None) -> Iterator[Diagnostic]:
    name, split = split_name(reference.text)
    definition = context.definitions.get(name)
    wanted = WORDS[reference.expects]
    place = reference.span
    help = _help(name, reference.expects, candidates) if definition is None or definition.kind != reference.expects else None
    if definition is None:
        there_is = "there are no rows" if reference.expects == "rows" else f"there is no {reference.expects}"
        yield error("D201", f"{there_is} called `{shorten(name)}`", place, help, fix=_fix(reference, name, candidates))
    elif definition.kind != reference.expects:
        label = Label(definition.span, "defined here")
        message = f"`{shorten(name)}` is {WORDS[definition.kind]}, not {wanted}"
        yield error("D202", message, place, help, related=(label,), fix=_fix(reference, name, candidates))
    elif split is not None and reference.expects != "rows":
        from distillc.spec.fixes import respelled

        fix = respelled(place, reference.text, name)
        yield error("D206", f"{wanted} has no split", place, f"write `{shorten(name)}`", fix=fix)
    elif split is not None and split not in SPLITS:
        from distillc.spec.fixes import respelled

        near = closest(split, SPLITS)
        fix = respelled(place, reference.text, near, (len(name) + 1, len(reference.text))) if near else None
        yield error("D206", f"there is no split `{shorten(split)}`", place, did_you_mean(split, SPLITS, "one of"), fix=fix)


def _fix(reference: Reference, name: str, candidates: list[str] | None) -> Fix | None:
    from distillc.spec.fixes import respelled

    near = closest(name, candidates or ())
    return respelled(reference.span, reference.text, near, (0, len(name))) if near else None


def _plural(kind: str) -> str:
    return kind if kind == "rows" else f"{kind}s"
