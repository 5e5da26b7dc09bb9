"""A reference asks for the training, validation or test rows of data that has none.

Why: rows are all training rows until `split` says otherwise, and every step carries the splits of what it is made from: what is made from
`prose.test` has test rows alone. A step that reads an empty split would stop, or pass on nothing.

Example:

    data:
      prose: {uses: docstrings, packages: [email], split: {test: 20}}
    train:
      student: {model: small, data: clean, validation: pairs.validation, losses: {hard: cross_entropy}}

Use instead:

    data:
      prose: {uses: docstrings, packages: [email], split: {validation: 20, test: 20}}
    train:
      student: {model: small, data: clean, validation: pairs.validation, losses: {hard: cross_entropy}}
"""

from collections.abc import Iterator

from distillc.spec.check import Reference
from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import text
from distillc.spec.references import SPLITS, split_name
from distillc.spec.rows import rows_of, way
from distillc.spec.rules import Context, error
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for reference in context.references:
        if reference.expects != "rows":
            continue
        name, split = split_name(reference.text)
        if split is None:
            split = _bare(reference)
        if split not in SPLITS:
            continue
        verdict = _rows_of(name, split, context)
        if verdict is None:
            continue
        label, help = verdict
        what = "training" if split == "train" else split
        yield error("D301", f"`{shorten(name)}` has no {what} rows", reference.span, help, related=(label,))


def _bare(reference: Reference) -> str | None:
    """The split that a bare name means at this place; None where it means all rows."""
    section, key = reference.path[0], reference.path[2] if len(reference.path) > 2 else None
    if section == "evaluate":
        return "test"
    return "train" if section in ("train", "capture") and key == "data" else None


def _rows_of(name: str, split: str, context: Context) -> tuple[Label, str] | None:
    """None where `name` has rows in `split`, or nothing can be said; else the place to blame, and the way out."""
    rows = rows_of(name, context)
    if rows is None or split in rows.splits:
        return None
    for step in way(rows, context):
        place = context.definitions[step.name].span
        source = rows_of(step.source, context)
        if source is None:
            return Label(place, "all its rows are training rows"), f"give `{shorten(step.name)}` a `split` with `{split}: N`"
        if split_name(text(context.at(*context.definitions[step.name].path, "from")) or "")[1]:
            what = f"made from the {shorten(step.splits[0])} rows alone"
            return Label(place, what), f"take rows made from `{shorten(source.name)}.{split}`"
    return None
