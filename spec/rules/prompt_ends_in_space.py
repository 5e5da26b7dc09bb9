"""The prompt ends in a space, which tears the first token of the answer apart.

Why: tokenizers keep a word's leading space inside of the word. After `Fixed: ` the model has to begin with a bare `The`, which it has
hardly ever seen there; after `Fixed:` it may write ` The`. The text is the same, the tokens are not: a space at the end can change an
answer altogether (Vieira et al., From Language Models over Tokens to Language Models over Characters, https://arxiv.org/abs/2412.03719).
distillc puts the space before the answer by itself. A line break at the end is no such case.

Example:

    task: {kind: generate, input: text, target: fixed, prompt: "Correct: {{ text }}\\nFixed: "}

Use instead:

    task: {kind: generate, input: text, target: fixed, prompt: "Correct: {{ text }}\\nFixed:"}

Fix: takes the spaces out; the text that a model sees stays the same.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Edit, Span
from distillc.spec.node_edits import fix
from distillc.spec.nodes import Node, text
from distillc.spec.rules import Context, warning


def check(context: Context) -> Iterator[Diagnostic]:
    node = context.at("task", "prompt")
    prompt = text(node)
    if node is None or prompt is None or prompt[-1:] not in (" ", "\t") or not prompt.strip():
        return
    mend = fix(context, "take the space out", _without_spaces(node, prompt), safe=True)
    yield warning("D304", "the prompt ends in a space", node.span, "take it out: an answer gets its space by itself", fix=mend)


def _without_spaces(node: Node, prompt: str) -> Edit | None:
    """Where the text stands in quotes as it is, but for the usual escapes, its last spaces are those before the quote."""
    span = node.span
    spaces = len(prompt) - len(prompt.rstrip(" "))
    escapes = sum(prompt.count(character) for character in '\n\t"\\')
    if not spaces or span.line != span.end_line or span.end_column - span.column != len(prompt) + escapes + len('""'):
        return None
    end = span.end_column - 1
    return Edit(Span(span.file, span.line, end - spaces, span.end_line, end), "")
