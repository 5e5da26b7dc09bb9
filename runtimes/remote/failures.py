"""What can go wrong between us and an API, each as one clear error.

StageFailed
├── MayPass     a retry may help: 408, 5xx, a connection that broke, no answer in time
└── Rejected    it was understood and turned down: any other 4xx
Busy            429: the call is to be made again, later; no error of the call
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from distillc.runtimes.remote.endpoint import Endpoint
from distillc.runtimes.remote.replies import parsed
from distillc.spec.errors import StageFailed

KEPT = "run again: what is answered is kept"
MAX_SAID = 300
UNTOLD = "what else the API says is left out, for it may repeat a prompt (`retention: none`)"
_WORD = re.compile(r"[\w.\[\]-]{1,80}")  # a code, or the name of a parameter
# OpenAI, llama-cpp-python and llama.cpp by a code or type, vLLM, SGLang and others in words
_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|string_above_max_length|maximum context length"
    r"|exceeds? (?:the |its )?(?:model's |available )?(?:maximum )?context (?:length|size|window)|prompt is too long",
    re.IGNORECASE,
)
GATEWAYS = (502, 504)  # something in between gave up: what it asked may be at work, or done


class MayPass(StageFailed):
    """`wait`: seconds that the API asked for. `billed`: nobody here knows whether it did what was asked, and so whether that is billed."""

    def __init__(self, message: str, *, help: str = KEPT, wait: float = 0.0, billed: bool = False) -> None:
        super().__init__(message, help=help)
        self.wait, self.billed = wait, billed

    def after(self, tries: int) -> "MayPass":
        """The same, of the last of so many tries."""
        told = f"{self.message}; tried {tries} times" if tries > 1 else self.message
        return MayPass(told, help=self.help or KEPT, wait=self.wait, billed=self.billed)


class Rejected(StageFailed):
    """`code`: the API's word for it, `content_filter` say; `status` 0 where none says so.

    `too_long`: the prompt alone is at fault, which is longer than the model reads, with room for its answer.
    """

    def __init__(self, message: str, *, help: str | None, status: int = 0, code: str = "", too_long: bool = False) -> None:
        super().__init__(message, help=help)
        self.status, self.code, self.too_long = status, code, too_long


class Busy(Exception):
    """The pace has been told; whoever asked waits for it."""


def may_be_billed(error: Exception) -> bool:
    """Of a call that gave no answer. What is no answer when it comes was made all the same."""
    return error.billed if isinstance(error, MayPass) else not isinstance(error, Rejected | Busy)


def says_too_long(told: str) -> bool:
    """Whether an error is about a prompt alone, which is longer than the model reads, with room for its answer."""
    return bool(_TOO_LONG.search(told))


class Said(NamedTuple):
    message: str
    code: str = ""
    param: str = ""


def said(body: bytes, key: str | None = None, *, quiet: bool = False) -> Said:
    """What an error's body says, without the key, which some servers repeat. `quiet`: nothing in which a prompt could be."""
    message, code, param = (_short(part, key) for part in _parts(body))
    if not quiet:
        return Said(message, code, param)
    code, param = (word if _WORD.fullmatch(word) else "" for word in (code, param))
    return Said(f"{code}{'; ' if code else ''}{UNTOLD}" if message else code, code, param)


def _parts(body: bytes) -> tuple[Any, Any, Any]:
    """The message, the code and the parameter that it is about: as OpenAI puts it, as FastAPI does, or as text."""
    try:
        told = parsed(body)
    except ValueError:
        return "" if body.lstrip().startswith(b"<") else body.decode(errors="replace"), "", ""
    error = told.get("error") if isinstance(told, Mapping) else None
    if isinstance(error, Mapping):
        return error.get("message"), error.get("code"), error.get("param")
    if not isinstance(told, Mapping):
        return "", "", ""
    detail = told.get("detail")
    if isinstance(detail, list) and detail and isinstance(detail[0], Mapping):  # without `input`, which may be a whole prompt
        place = ".".join(str(part) for part in detail[0].get("loc") or () if part != "body")
        return detail[0].get("msg"), detail[0].get("type"), place
    return error or detail or told.get("message"), "", ""


def failed(endpoint: Endpoint, status: int, body: bytes, *, key: str | None = None, wait: float = 0.0, quiet: bool = False) -> StageFailed:
    """The error for a status that is no success and no 429 that waiting helps against."""
    told = said(body, key, quiet=quiet)
    about = f" `{told.param}`" if told.param else ""
    message = f"{endpoint}: {status}{about}{': ' if told.message else ''}{told.message}"
    if status == 408 or (status >= 500 and status != 501):  # 501: it never does that
        return MayPass(message, wait=wait, billed=status in GATEWAYS)
    if status in (401, 403):
        if key:
            help = "look at the key that `api_key` leads to: is it whole, of this service, and allowed to use this model?"
        else:
            help = 'the model has no key: write `api_key: "${env:NAME}"` beside `base_url`'
    elif status == 402 or told.code == "insufficient_quota":
        help = f"the account has no credit left: top it up, then {KEPT}"
    elif status == 404:
        help = "look at `name` and `base_url`, which ends in /v1 most often"
    elif 300 <= status < 400:
        help = "`base_url` leads elsewhere: write the address that it leads to, with https"
    else:
        help = "change what the API does not take (`decoding`, `dialect`, `name`), or leave out the rows that it does not"
    return Rejected(message, help=help, status=status, code=told.code, too_long=says_too_long(body.decode(errors="replace")))


def _short(text: Any, key: str | None) -> str:
    flat = " ".join(str(text or "").split())
    if key:  # first: half a key may be enough
        flat = flat.replace(key, "…")
    return flat if len(flat) <= MAX_SAID else flat[:MAX_SAID] + " …"
