"""A reference asks for the validation or test rows of data that has none.

Why: rows are all training rows until `split` says otherwise, and every step carries the splits of what it is made from. A step that reads
an empty split would stop, or pass on nothing.

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

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import MappingNode, Node, ScalarNode, text
from distillc.spec.references import split_name
from distillc.spec.rules import Context, error
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for reference in context.references:
        if reference.expects != "rows":
            continue
        name, split = split_name(reference.text)
        if split is None and reference.path[0] == "evaluate":
            split = "test"  # what a bare name means there
        if split not in ("validation", "test"):
            continue
        verdict = _rows_of(name, split, context)
        if verdict is None:
            continue
        source, label = verdict
        message = f"`{shorten(name)}` has no {split} rows"
        help = f"give `{source}` a `split` with `{split}: N`"
        yield error("D301", message, reference.span, help, related=(label,))


def _rows_of(name: str, split: str, context: Context) -> tuple[str, Label] | None:
    """None where `name` has rows in `split`, or nothing can be said; else the data step and the place to blame."""
    for _ in range(1000):  # a cycle is another rule's finding
        definition = context.definitions.get(name)
        if definition is None or definition.kind != "rows":
            return None
        step = context.at(*definition.path)
        if definition.section == "data":
            return _data(name, step, split, Label(definition.span, "all its rows are training rows"))
        origin = text(step.get("from")) if isinstance(step, MappingNode) else None
        if origin is None:
            return None
        name, only = split_name(origin)
        if only is not None and only != split:
            return name, Label(definition.span, f"made from the {shorten(only)} rows alone")
    return None


def _data(name: str, step: Node | None, split: str, label: Label) -> tuple[str, Label] | None:
    cut = step.get("split") if isinstance(step, MappingNode) else None
    count = cut.get(split) if isinstance(cut, MappingNode) else None
    if count is None or (isinstance(count, ScalarNode) and count.value == 0):
        return name, label
    return None
