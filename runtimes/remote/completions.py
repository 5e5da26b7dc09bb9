"""Plain completions as they go over the wire: the prompt as it is, in text or as ids, without a template around it.

What an engine that runs a model itself feeds, a server is asked with too: the answers are to be the same. Pure functions.
"""

from typing import Any

from distillc.plugins.api.artifacts import Completion, Decoding
from distillc.runtimes.remote.chat import Body, NoCompletion
from distillc.spec.errors import StageFailed

PATH = "/completions"
ALL = {"top_p": 1.0, "top_k": 0, "min_p": 0.0}
"""Draws from the whole distribution, as the engines here do; servers have other defaults."""


def constant(name: str, decoding: Decoding) -> dict[str, Any]:
    """All of a body but the prompt, and the seed where something is drawn."""
    body: dict[str, Any] = {"model": name, "max_tokens": decoding.max_tokens, "temperature": decoding.temperature, **ALL}
    if decoding.stop:
        body["stop"] = list(decoding.stop)
    return body


def completion(reply: Any, body: Body) -> Completion:
    """The answer in a reply to `body`. Raises StageFailed for a reply without one, and for one that the server's context cut short."""
    try:
        choice, usage = reply["choices"][0], reply["usage"]
        answer = Completion(
            text=str(choice["text"]),
            finish_reason={"stop": "stop", "length": "length"}.get(str(choice["finish_reason"]), "error"),
            prompt_tokens=int(usage["prompt_tokens"]),
            completion_tokens=int(usage["completion_tokens"]),
        )
    except (KeyError, IndexError, TypeError, ValueError):
        raise NoCompletion(
            f"what came for `{body['model']}` is JSON, and no completion", help="is this the server that was started?"
        ) from None
    if answer.finish_reason == "length" and answer.completion_tokens < body["max_tokens"]:
        raise StageFailed(
            f"an answer ended at the server's context: {answer.prompt_tokens} tokens of prompt, {answer.completion_tokens} of "
            f"{body['max_tokens']} of answer",
            help="raise the engine's `context`, or set a smaller `decoding.max_tokens`",
        )
    return answer
