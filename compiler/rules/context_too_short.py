"""An answer may be longer than what the model has room for behind its prompt.

Why: prompt and answer share the positions that the model was trained to see (`max_position_embeddings`, `llama.context_length`). Past
them, engines stop, cut the prompt, or go on with noise; the rows look like any others.

Example:

    decoding: {max_tokens: 2000}     # `base` sees 1024 tokens

Use instead:

    decoding: {max_tokens: 200}
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from distillc.compiler.outline import Outline, Where
from distillc.compiler.rules import label, warning
from distillc.spec.diagnostic import Diagnostic

_TEMPLATE = re.compile(r"\{\{(?:(?!\{[{%]).)*?\}\}|\{%(?:(?!\{[{%]).)*?%\}", re.DOTALL)


def check(outline: Outline) -> Iterator[Diagnostic]:
    words = len(_TEMPLATE.sub("input", outline.part("task").get("prompt") or "").split())  # each is a token at least
    told: set[tuple[str, int]] = set()
    for name, decoding, where, asking in _answers(outline):
        model = outline.models[name]
        most = decoding.get("max_tokens", outline.part("decoding").get("max_tokens"))
        context = outline.known(model, "context")
        if context and most and most + words > context and (model.root, most) not in told:
            told.add((model.root, most))
            message = f"`{name}` sees {context} tokens, which a prompt of {words} words or more and an answer of {most} tokens do not fit"
            written = outline.exists((*where, "max_tokens"))
            related = label(outline, asking, "asked here") if where == ("decoding",) and written else ()
            place = (*where, "max_tokens") if written else asking
            yield warning(outline, "D352", place, message, f"set `max_tokens` to {context // 2} or less", related=related)


def _answers(outline: Outline) -> Iterator[tuple[str, Mapping[str, Any], Where, Where]]:
    """Models that answer, each with what its step says of decoding, where that or else the spec's stands, and where it is asked."""
    for step in outline.order:
        if step.section == "generate":
            for index, item in enumerate(step.body["steps"]):
                asking = (*step.where, "steps", index)
                own = item.get("decoding") or {}
                for name in outline.named("generators", item, "model"):
                    yield name, own, (*asking, "decoding") if "max_tokens" in own else ("decoding",), asking
        elif step.section == "evaluate":
            own = step.body.get("decoding") or {}
            for index, name in enumerate(step.body["models"]):
                where = (*step.where, "decoding") if "max_tokens" in own else ("decoding",)
                yield name, own, where, (*step.where, "models", index)
