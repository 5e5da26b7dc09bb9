"""Who answers: what a teacher says to a user's text, with its habits and its bad ones."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from distillc.testing.server import chain
from distillc.testing.server.grammar import corrected
from distillc.testing.server.script import Script, Teacher
from distillc.testing.server.texts import count, pieces

_THOUGHT = "\nOkay, the user wants this checked: %s I read it once more and compare each word.\n"
_MOST_THOUGHTS = 8192  # tokens
_CALL = {"id": "call_1", "type": "function", "function": {"name": "correct", "arguments": "{}"}}


@dataclass(slots=True)
class Said:
    """One choice of a reply. `extra` are further fields of its message."""

    content: str | None
    finish_reason: str = "stop"
    extra: dict[str, object] = field(default_factory=dict)


def chosen(script: Script, share: float, text: str) -> Teacher:
    """The teacher of a request: `share` is where the request lies between 0 and 1, `text` its last message."""
    for entry in script.teach:
        if share < entry.share and entry.contains in text:
            return entry.teacher
    return script.teacher


def said(teacher: Teacher, text: str, body: Mapping[str, object], limit: int, mark: int) -> Said:
    """What `teacher` says to `text`, before the request's own limits cut it."""
    answer = corrected(text)
    thought = _THOUGHT % text
    match teacher:
        case "grammar":
            return Said(answer)
        case "echo":
            return Said(text)
        case "same":
            return Said("All is well.")
        case "think":
            return Said(f"<think>{thought}</think>\n\n{answer}")
        case "think_without_start":
            return Said(f"{thought.lstrip()}</think>\n\n{answer}")
        case "think_without_end":
            return Said(f"<think>\n{answer}")
        case "think_on":
            return Said(f"<think>{thought * (min(limit, _MOST_THOUGHTS) // count(thought) + 1)}", "length")
        case "reasoning_content":
            return Said(answer, extra={"reasoning_content": thought.strip()})
        case "reasoning":
            return Said(answer, extra={"reasoning": thought.strip()})
        case "truncate":
            half = pieces(answer)
            return Said("".join(half[: (len(half) + 1) // 2]), "length")
        case "refuse":
            return Said(None, extra={"refusal": "I'm sorry, but I can't help with that."})
        case "decline":
            return Said("I'm sorry, but I can't help with that.")
        case "filter":
            return Said("", "content_filter")
        case "tool":
            return Said(None, "tool_calls", {"tool_calls": [_CALL]})
        case "empty":
            return Said("")
        case "null":
            return Said(None)
        case "chain":
            heat, top_p = _number(body.get("temperature"), 1.0), _number(body.get("top_p"), 1.0)
            return Said("".join(chain.written(random.Random(mark), heat, top_p, min(limit, 256))), "length")


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default
