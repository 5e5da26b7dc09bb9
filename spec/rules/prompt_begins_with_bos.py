"""The prompt begins with a token that the tokenizer puts there itself.

Why: copied from a chat template, `<s>` or `<|begin_of_text|>` comes twice: once from the prompt and once from the tokenizer. Models have
never seen that, and answer worse for it. llama.cpp warns of it at run time: "almost always going to be user error"
(https://github.com/ggml-org/llama.cpp/pull/7332).

Example:

    task: {kind: generate, input: text, target: fixed, prompt: "<s>Correct: {{ text }}\\nFixed:"}

Use instead:

    task: {kind: generate, input: text, target: fixed, prompt: "Correct: {{ text }}\\nFixed:"}

Fix: takes the token out.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Edit, Span
from distillc.spec.node_edits import fix
from distillc.spec.nodes import Node, ScalarNode, text
from distillc.spec.rules import Context, warning

_BEGINNINGS = ("<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "<｜begin▁of▁sentence｜>")


def check(context: Context) -> Iterator[Diagnostic]:
    node = context.at("task", "prompt")
    prompt = text(node) or ""
    token = next((token for token in _BEGINNINGS if prompt.startswith(token)), None)
    if node is None or token is None:
        return
    mend = fix(context, f"take `{token}` out", _without(node, token))
    yield warning("D305", f"the prompt begins with `{token}`, which the tokenizer adds", node.span, "take it out", fix=mend)


def _without(node: Node, token: str) -> Edit | None:
    """In quotes on one line, the token follows the quote; a block is left to its author."""
    span = node.span
    if span.line != span.end_line or not isinstance(node, ScalarNode) or node.plain:
        return None
    return Edit(Span(span.file, span.line, span.column + 1, span.line, span.column + 1 + len(token)), "")
