"""The spec does not say which version of the language it is written in, or says one that this distillc does not know.

Why: the version is what lets the language change without changing what an old spec means: a newer distillc reads an older spec as it was
meant, or `distillc migrate` rewrites it. A spec of a newer version needs a newer distillc.

Example:

    distill: 2
    name: grammar
    task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}

Use instead:

    distill: 1
    name: grammar
    task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}

Fix: where no version is said, begins the spec with `distill: 1`; `version: 1` is renamed. `distillc migrate` does the same.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Span
from distillc.spec.nodes import number
from distillc.spec.rules import Context, error


def check(context: Context) -> Iterator[Diagnostic]:
    node = context.at("distill")
    if node is not None and number(node) == 1:
        return
    from distillc.spec.migrations import LATEST, next_fix

    file = context.root.span.file
    if node is None:
        fix = next_fix(context.root)
        said = context.root.entries.get("version")
        if said is not None and said.key_span.file == file:
            help = f"its key is `distill`: write `distill: {LATEST}`"
            yield error("D110", "the spec does not say its version where it belongs", said.key_span, help, fix=fix)
        else:
            yield error("D110", "the spec does not say its version", Span(file, 1, 1, 1, 1), f"begin it with `distill: {LATEST}`", fix=fix)
    elif (says := number(node)) is not None:
        message = f"version {says:g} of the language is not known here"
        behind = says < LATEST and next_fix(context.root)
        newer = f"this distillc reads version {LATEST}; update distillc for a newer one"
        yield error("D110", message, node.span, "`distillc migrate` rewrites it" if behind else newer)
