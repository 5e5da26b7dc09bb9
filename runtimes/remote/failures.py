"""What can go wrong between us and an API, each as one clear error.

StageFailed
├── MayPass     a retry may help: 408, 5xx, a connection that broke, no answer in time
└── Rejected    it was understood and turned down: any other 4xx
Busy            429: the call is to be made again, later; no error of the call
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from distillc.runtimes.remote.endpoint import Endpoint
from distillc.spec.errors import StageFailed

KEPT = "run again: what is answered is kept"
MAX_SAID = 300


class MayPass(StageFailed):
    """`wait`: seconds that the API asked for."""

    def __init__(self, message: str, *, help: str = KEPT, wait: float = 0.0) -> None:
        super().__init__(message, help=help)
        self.wait = wait


class Rejected(StageFailed):
    """`code`: the API's word for it, `content_filter` say; `status` 0 where none says so."""

    def __init__(self, message: str, *, help: str | None, status: int = 0, code: str = "") -> None:
        super().__init__(message, help=help)
        self.status, self.code = status, code


class Busy(Exception):
    """The pace has been told; whoever asked waits for it."""


class Said(NamedTuple):
    message: str
    code: str = ""
    param: str = ""


def said(body: bytes) -> Said:
    """What an error's body says: as OpenAI puts it, as FastAPI does, or as text."""
    try:
        told = json.loads(body)
    except ValueError:
        return Said("" if body.lstrip().startswith(b"<") else _short(body.decode(errors="replace")))
    error = told.get("error") if isinstance(told, Mapping) else None
    if isinstance(error, Mapping):
        return Said(_short(error.get("message")), str(error.get("code") or ""), str(error.get("param") or ""))
    if not isinstance(told, Mapping):
        return Said("")
    detail = told.get("detail")
    if isinstance(detail, list) and detail and isinstance(detail[0], Mapping):  # without `input`, which may be a whole prompt
        place = ".".join(str(part) for part in detail[0].get("loc") or () if part != "body")
        return Said(_short(detail[0].get("msg")), str(detail[0].get("type") or ""), place)
    return Said(_short(error or detail or told.get("message")))


def failed(endpoint: Endpoint, status: int, body: bytes, *, key: str | None = None, wait: float = 0.0) -> StageFailed:
    """The error for a status that is no success and no 429 that waiting helps against."""
    told = said(body)
    text = redacted(told.message, key)
    about = f" `{told.param}`" if told.param else ""
    message = f"{endpoint}: {status}{about}{': ' if text else ''}{text}"
    if status == 408 or (status >= 500 and status != 501):  # 501: it never does that
        return MayPass(message, wait=wait)
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
    return Rejected(message, help=help, status=status, code=told.code)


def redacted(text: str, key: str | None) -> str:
    """Some servers repeat the key that they do not take."""
    return text.replace(key, "…") if key else text


def _short(text: Any) -> str:
    flat = " ".join(str(text or "").split())
    return flat if len(flat) <= MAX_SAID else flat[:MAX_SAID] + " …"
