"""Thoughts that stand in an answer between tags, apart from it.

The tags are those of vLLM's reasoning parsers (docs.vllm.ai, `vllm.reasoning`, as of 2026-11-24), and what is left of gpt-oss' where a
server leaves special tokens out. Only what an answer begins with is a thought, for it may be about such tags.
"""

import re

_XML = ("think(?:ing)?", "thoughts?", "reasoning", "seed:think")
_TAGS = (
    *((rf"<{name}\s*>", rf"</{name}\s*>") for name in _XML),
    (r"\[THINK\]", r"\[/THINK\]"),  # Magistral
    ("◁think▷", "◁/think▷"),  # Kimi
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),  # Command A
    (r"<\|channel>thought", r"<channel\|>"),  # Gemma 4
    (r"(?:<\|start\|>assistant)?<\|channel\|>(?:analysis|commentary)[^<]*<\|message\|>", r"<\|end\|>"),  # gpt-oss
    (r"analysis(?=.*assistantfinal)", "assistantfinal"),
)
_FINAL = re.compile(r"^\s*(?:<\|start\|>assistant)?<\|channel\|>final[^<]*<\|message\|>|<\|return\|>\s*$")  # around gpt-oss' answer

_FLAGS = re.IGNORECASE | re.DOTALL
_KINDS = {f"kind{number}": tags for number, tags in enumerate(_TAGS)}
_BEGIN = re.compile("|".join(f"(?P<{kind}>{begin})" for kind, (begin, _) in _KINDS.items()), _FLAGS)
_BEGINS = {kind: re.compile(begin, _FLAGS) for kind, (begin, _) in _KINDS.items()}
_ENDS = {kind: re.compile(end, _FLAGS) for kind, (_, end) in _KINDS.items()}
_END = re.compile(  # not between quotes: there it is spoken of; and none that ends answers too, as `<|end|>` does
    "(?<![`'\"])(?:" + "|".join(f"(?P<{kind}>{end})" for kind, (_, end) in _KINDS.items() if "/" in end) + ")(?![`'\"])", _FLAGS
)


def separated(written: str) -> tuple[str, str, bool]:
    """The answer and the thoughts in a text, and whether each thought has an end."""
    thoughts: list[str] = []
    rest, closed = written, True
    while closed and (found := _first(rest)):
        thought, rest, closed = found
        thoughts.append(thought.strip())
    answer = _FINAL.sub("", rest)
    if answer == written:
        return written, "", True
    return answer.strip(), "\n".join(filter(None, thoughts)), closed


def _first(text: str) -> tuple[str, str, bool] | None:
    """The thought that a text begins with, what comes after it, and whether it has an end."""
    text = text.lstrip()
    begun = _BEGIN.match(text)
    end = _ENDS[str(begun.lastgroup)].search(text, begun.end()) if begun else _end_alone(text)
    if begun and not end:
        return text[begun.end() :], "", False
    return (text[begun.end() if begun else 0 : end.start()], text[end.end() :], True) if end else None


def _end_alone(text: str) -> re.Match[str] | None:
    """The first end without a beginning: that one a template has put into the prompt."""
    return next((end for end in _END.finditer(text) if not _BEGINS[str(end.lastgroup)].search(text, 0, end.start())), None)
