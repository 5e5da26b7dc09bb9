"""What an error says, and what it must not."""

import json

import pytest

from distillc.runtimes.remote.endpoint import Endpoint
from distillc.runtimes.remote.failures import MAX_SAID, UNTOLD, failed, said

KEY = "sk-local-0123456789"
PROMPT = "She go to school."


def openai(message: str, code: object = None, param: str | None = None) -> bytes:
    return json.dumps({"error": {"message": message, "type": None, "code": code, "param": param}}).encode()


def test_a_key_across_the_cut_leaves_nothing_of_it() -> None:
    told = said(openai("x" * (MAX_SAID - 10) + KEY + "y" * 50), KEY)
    assert told.message == "x" * (MAX_SAID - 10) + "…" + "y" * 9 + " …"


def test_a_key_is_taken_out_of_all_that_is_told() -> None:
    assert said(openai(f"bad {KEY}", code=KEY, param=KEY), KEY) == ("bad …", "…", "…")
    assert KEY not in str(failed(Endpoint(base_url="http://x/v1", name="m"), 400, openai("bad", param=KEY), key=KEY))


@pytest.mark.parametrize(
    "body",
    [
        openai(f"too long [input_value='{PROMPT}']", code=PROMPT, param=PROMPT),
        json.dumps({"detail": [{"loc": ["body", PROMPT], "msg": PROMPT, "type": PROMPT}]}).encode(),
        json.dumps({"detail": PROMPT}).encode(),
        json.dumps({"error": PROMPT}).encode(),
        PROMPT.encode(),
    ],
)
def test_a_quiet_error_has_nothing_of_a_prompt(body: bytes) -> None:
    assert said(body, quiet=True) == (UNTOLD, "", "")
    error = failed(Endpoint(base_url="http://x/v1", name="m"), 400, body, quiet=True)
    assert error.message == f"`m` at http://x/v1: 400: {UNTOLD}"


def test_a_quiet_error_has_the_code_and_the_parameter() -> None:
    body = openai(PROMPT, code="context_length_exceeded", param="messages[0].content")
    error = failed(Endpoint(base_url="http://x/v1", name="m"), 400, body, quiet=True)
    assert error.message == f"`m` at http://x/v1: 400 `messages[0].content`: context_length_exceeded; {UNTOLD}"
