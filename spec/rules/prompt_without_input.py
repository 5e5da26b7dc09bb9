"""The task's prompt does not show the input, so every answer would be the same.

Why: `prompt` is a Jinja template, and the input stands in it under the name that `input` gives. With a misspelt name the run stops at its
first row; without any, the model is trained to answer without having seen the question.

Example:

    task: {kind: generate, input: text, target: fixed, prompt: "Correct: {{ txt }}\\nFixed:"}

Use instead:

    task: {kind: generate, input: text, target: fixed, prompt: "Correct: {{ text }}\\nFixed:"}

Fix: writes the input's name for the nearest word of the template. Unsafe: it is a guess.
"""

import re
from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Fix
from distillc.spec.nodes import Node, text
from distillc.spec.rules import Context, error
from distillc.spec.wording import closest, shorten

_BLOCK = re.compile(r"\{\{((?:(?!\{[{%]).)*?)\}\}|\{%((?:(?!\{[{%]).)*?)%\}", re.DOTALL)
"""Up to the next one at most: a million that are never closed must not each be looked through to the end."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check(context: Context) -> Iterator[Diagnostic]:
    node = context.at("task", "prompt")
    prompt, name = text(node), text(context.at("task", "input"))
    if node is None or prompt is None or name is None:
        return
    words = {word for block in _BLOCK.findall(prompt) for word in _NAME.findall("".join(block))}
    if name not in words:
        near = closest(name, words)
        help = f"`{near}` in it should be `{shorten(name)}`" if near else f"write {{{{ {shorten(name)} }}}} where the input belongs"
        fix = _respelled(node, prompt, near, name) if near else None
        yield error("D302", f"the prompt never shows the input `{shorten(name)}`", node.span, help, fix=fix)


def _respelled(node: Node, prompt: str, near: str, name: str) -> Fix | None:
    """Where the word stands in one place alone; in several, some of them may be right."""
    from distillc.spec.fixes import respelled

    word = re.compile(rf"\b{re.escape(near)}\b")
    places = [found.span() for block in _BLOCK.finditer(prompt) for found in word.finditer(prompt, *block.span())]
    return respelled(node.span, prompt, name, places[0]) if len(places) == 1 else None
