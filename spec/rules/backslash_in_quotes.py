"""A line break is written as `\\n` where YAML takes that as two characters.

Why: YAML reads escapes in double quotes only. In single quotes, or without any, `\\n` is a backslash and an n: a stop text that never
comes, so that every answer runs on to `max_tokens`; a prompt in one line with odd signs in it. People find out from the wire, if at
all (https://github.com/promptfoo/promptfoo/issues/729). A text with real line breaks in it, and `\\n` before a small letter, as in
`\\nabla`, are not looked at.

Example:

    decoding: {max_tokens: 64, stop: ['\\n']}

Use instead:

    decoding: {max_tokens: 64, stop: ["\\n"]}

Fix: writes the text in double quotes.
"""

import re
from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import fix, replace
from distillc.spec.nodes import Node, ScalarNode, at, entries, items
from distillc.spec.rules import Context, warning

_STOP = re.compile(r"(?:\\[nrt])+")
_PROMPT = re.compile(r"\\n(?![a-z])")
_ESCAPE = re.compile(r"(\\[nrt])")


def check(context: Context) -> Iterator[Diagnostic]:
    prompt = context.at("task", "prompt")
    if isinstance(prompt, ScalarNode) and isinstance(prompt.value, str) and "\n" not in prompt.value and _PROMPT.search(prompt.value):
        yield _finding(context, prompt, prompt.value, "the prompt has")
    for decoding in _decodings(context):
        for stop in items(at(decoding, "stop")):
            if isinstance(stop, ScalarNode) and isinstance(stop.value, str) and _STOP.fullmatch(stop.value):
                yield _finding(context, stop, stop.value, "this stop is")


def _decodings(context: Context) -> Iterator[Node | None]:
    yield context.at("decoding")
    for step in entries(context.at("generate")):
        for item in items(at(step.value, "steps")):
            yield at(item, "decoding")
    for step in entries(context.at("evaluate")):
        yield at(step.value, "decoding")


def _finding(context: Context, node: ScalarNode, value: str, what: str) -> Diagnostic:
    one_line = node.span.line == node.span.end_line
    mend = fix(
        context, "write it in double quotes", replace(node, _double_quoted(value)) if one_line else None, safe=what != "the prompt has"
    )
    return warning("D306", f"{what} a backslash and a letter, not a line break", node.span, "write it in double quotes", fix=mend)


def _double_quoted(value: str) -> str:
    """The value in double quotes, its `\\n`, `\\r` and `\\t` left to YAML to read and every other backslash kept."""
    parts = _ESCAPE.split(value)
    return '"' + "".join(part if _ESCAPE.fullmatch(part) else part.replace("\\", "\\\\").replace('"', '\\"') for part in parts) + '"'
