"""A lower limit is above the upper one.

Why: no row passes both, so the step gives none and the run stops. Mostly only one of the two is written, and the other is the plugin's
own: sentences of `docstrings` have at most 20 words unless `max_words` says otherwise.

Example:

    data:
      prose: {uses: docstrings, packages: [email], min_words: 25, split: {validation: 20, test: 20}}

Use instead:

    data:
      prose: {uses: docstrings, packages: [email], min_words: 25, max_words: 60, split: {validation: 20, test: 20}}
"""

from collections.abc import Iterator

from distillc.spec.defaults import of_plugin
from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import MappingNode, Node, at, entries, items, number, uses
from distillc.spec.rules import Context, error


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("data")):
        yield from _check("sources", step.value, context)
    for step in entries(context.at("curate")):
        for item in items(at(step.value, "steps")):
            yield from _check("curators", item, context)


def _check(kind: str, node: Node, context: Context) -> Iterator[Diagnostic]:
    if not isinstance(node, MappingNode):
        return
    for entry in node:
        if entry.key.startswith("min_") and (least := number(entry.value)) is not None:
            upper = f"max_{entry.key.removeprefix('min_')}"
            written = node.get(upper)
            most = number(written) if written is not None else _default(kind, uses(node), upper, context)
            if most is not None and least > most:
                label = (Label(written.span, f"`{upper}`"),) if written is not None else ()
                whose = "" if written is not None else ", its default"
                message = f"`{entry.key}` is {least:g} and `{upper}` is {most:g}{whose}"
                yield error("D318", message, entry.value.span, f"nothing passes both: raise `{upper}`", related=label)


def _default(kind: str, plugin: str | None, key: str, context: Context) -> float | None:
    default = of_plugin(context, kind, plugin, key)
    return default if isinstance(default, int | float) and not isinstance(default, bool) else None
