"""The lines of a batch's files: requests as they are written, and results in whichever envelope they come.

OpenAI wraps a reply in `{status_code, request_id, body}`; Nebius puts the bare reply there (recorded). What failed stands in the error
file, or between the answers of the output file, under `error` or in the body of a reply with another status.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from distillc.runtimes.remote.endpoint import Dialect
from distillc.runtimes.remote.replies import parsed

URL = "/v1/chat/completions"


class Limits(NamedTuple):
    """What one file may hold."""

    rows: int
    bytes: int


# OpenAI's and Nebius' documentation as of 2026-11-24; what others allow is never less than Together's 50,000 and 100 MB.
LIMITS: Mapping[Dialect, Limits] = {
    "openai": Limits(50_000, 200_000_000),
    "nebius": Limits(5_000_000, 10_000_000_000),
    "generic": Limits(50_000, 100_000_000),
}


class Result(NamedTuple):
    """Of the request `custom_id`: a `reply`, or why there is none, with the API's word for it. None of these: nobody can read it."""

    custom_id: str
    reply: Any = None
    error: str = ""
    code: str = ""


def digest_of(body: bytes) -> str:
    """What requests are told apart by; equal ones may have each other's answers."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def request_line(custom_id: str, body: bytes) -> bytes:
    return b'{"custom_id": "%s", "method": "POST", "url": "%s", "body": %s}\n' % (custom_id.encode(), URL.encode(), body)


def ids_in(path: Path) -> Iterator[str]:
    """The custom_ids in a file of requests."""
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)["custom_id"]


def results_in(path: Path) -> Iterator[Result]:
    """The results in an output or error file. That of a line which names no request, or is no JSON, has the custom_id ``."""
    with path.open("rb") as file:
        for line in file:
            try:
                told = parsed(line)
            except ValueError:
                told = None
            yield _result(told) if isinstance(told, Mapping) and isinstance(told.get("custom_id"), str) else Result("")


def _result(told: Mapping[str, Any]) -> Result:
    response = told.get("response")
    body = response.get("body", response) if isinstance(response, Mapping) else None
    status = response.get("status_code", 200) if isinstance(response, Mapping) else 0
    inner = body.get("error") if isinstance(body, Mapping) else None
    error = told.get("error") or inner
    if isinstance(body, Mapping) and not error and status == 200:
        return Result(told["custom_id"], reply=body)
    said = error if isinstance(error, Mapping) else {"message": error or (body.get("detail") if isinstance(body, Mapping) else None)}
    return Result(told["custom_id"], error=str(said.get("message") or f"status {status}"), code=str(said.get("code") or ""))
