"""The prompt asks for a value that it is not given.

Why: a prompt is rendered with the input alone, so the run would stop at its first row. Whoever writes the target into it
(`{{ fixed }}`) would show the model the answer; in training the target follows the prompt by itself. A prompt with statements
(`{% … %}`) is not looked at.

Example:

    task: {kind: generate, input: text, target: fixed, prompt: "Correct: {{ text }}\\nFixed: {{ fixed }}"}

Use instead:

    task: {kind: generate, input: text, target: fixed, prompt: "Correct: {{ text }}\\nFixed:"}
"""

import re
from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import text
from distillc.spec.rules import Context, error
from distillc.spec.wording import closest, shorten

_VALUE = re.compile(r"\{\{-?\s*([A-Za-z_][A-Za-z0-9_]*)\s*([.|\[][^{}]*)?-?\}\}")
_DEFAULT = re.compile(r"\|\s*(?:default|d)\b")
_WORDS = frozenset({"true", "false", "none", "True", "False", "None", "not", "range", "dict", "lipsum", "cycler", "joiner", "namespace"})
"""What Jinja itself knows."""


def check(context: Context) -> Iterator[Diagnostic]:
    node = context.at("task", "prompt")
    prompt, name, target = text(node), text(context.at("task", "input")), text(context.at("task", "target"))
    if node is None or prompt is None or name is None or "{%" in prompt:
        return
    asked = dict.fromkeys(word for word, rest in _VALUE.findall(prompt) if not _DEFAULT.search(rest))
    shown = re.search(rf"\{{\{{[^{{}}]*\b{re.escape(name)}\b", prompt)  # where it is not, another rule speaks
    for other in asked:
        if other == target and other != name:
            yield error("D303", f"the prompt shows the answer `{shorten(other)}`", node.span, "take it out: the answer follows the prompt")
        elif shown and other != name and other not in _WORDS:
            help = f"did you mean `{name}`?" if closest(other, [name]) else f"a prompt is given `{shorten(name)}` alone"
            yield error("D303", f"the prompt asks for `{shorten(other)}`, which nothing gives it", node.span, help)
