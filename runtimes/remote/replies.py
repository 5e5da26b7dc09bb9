"""What servers send, before anything is made of it: JSON that can be written again, and what a call took in tokens."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")  # as an escape, or as bytes that are no UTF-8 and that `json` takes


class Usage(NamedTuple):
    """Tokens that were read and written; `thoughts`: those of the latter that were thought, as far as the API says so."""

    prompt_tokens: int
    completion_tokens: int
    thoughts: int


def parsed(content: bytes) -> Any:
    """What a body says; half a pair of surrogates, of which no UTF-8 can be made, is U+FFFD. Raises ValueError for what is no JSON."""
    try:
        told = json.loads(content)
        if _SURROGATE.search(content):
            told = json.loads(json.dumps(told, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return told


def used(told: Mapping[str, Any]) -> Usage:
    """What a `usage` says; thoughts that only the total tells count as written.

    Raises KeyError, TypeError, AttributeError or ValueError for what is no `usage` in whole numbers.
    """
    read, written = _count(told["prompt_tokens"]), _count(told["completion_tokens"])
    total, details = told.get("total_tokens"), told.get("completion_tokens_details")
    more = max(_count(total) - read - written, 0) if total is not None else 0
    return Usage(read, written + more, max(more, _count((details or {}).get("reasoning_tokens") or 0)))


def _count(value: Any) -> int:
    """Raises TypeError or ValueError for what is no number of tokens: `true`, `-1`, `0.5`, `1e999`."""
    if isinstance(value, bool) or not (0 <= value < 2**31 and value % 1 == 0):
        raise ValueError
    return int(value)
