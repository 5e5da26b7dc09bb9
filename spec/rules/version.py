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
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Span
from distillc.spec.nodes import ScalarNode
from distillc.spec.rules import Context, error

KNOWN = (1,)


def check(context: Context) -> Iterator[Diagnostic]:
    node = context.at("distill")
    if node is None:
        file = context.root.span.file
        yield error("D110", "the spec does not say its version", Span(file, 1, 1, 1, 1), "begin it with `distill: 1`")
    elif (
        isinstance(node, ScalarNode)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
        and node.value not in KNOWN
    ):
        message = f"version {node.text[:20]} of the language is not known here"
        yield error("D110", message, node.span, "this distillc reads version 1; update distillc for a newer one")
