"""What the server does beyond answering well. All of it is decided by the script and the request, nothing by chance or by order."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Dialect = Literal["openai", "nebius", "generic"]
Teacher = Literal[
    "grammar",
    "echo",
    "same",
    "think",
    "think_without_start",
    "think_without_end",
    "think_on",
    "reasoning_content",
    "reasoning",
    "truncate",
    "refuse",
    "decline",
    "filter",
    "tool",
    "empty",
    "null",
    "chain",
]
FaultKind = Literal["status", "delay", "slow", "hang_up", "reset", "cut", "half", "html", "no_body", "other_shape"]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fault(_Part):
    """One thing that goes wrong, and for which requests."""

    kind: FaultKind = Field(
        default="status",
        description="status: `status` and an error in the dialect's shape. delay: `seconds` before the answer. slow: the body comes in "
        "ten pieces over `seconds`. hang_up: the connection is reset before an answer. reset: within the body. cut: the connection is "
        "closed within the body. half: half the body, as if it were all. html: a page with status 200. no_body: nothing with status 200. "
        "other_shape: JSON without what was asked for.",
    )
    status: int = Field(default=500, ge=400, le=599, description="HTTP status, of kind status")
    retry_after: str = Field(default="", description="the header Retry-After: seconds, or an HTTP date")
    seconds: float = Field(default=0.1, ge=0, description="how long, of kinds delay and slow")
    method: str = Field(default="POST", description="method of the requests that are hit; `*` for all")
    path: str = Field(default="/v1/chat/completions", description="path of the requests that are hit, with `*` for any text")
    contains: str = Field(default="", description="text that the request's body has")
    share: Share = Field(default=1.0, description="share of the different requests that are hit")
    first: int | None = Field(default=None, ge=1, description="only the first so many tries of the same request")
    times: int | None = Field(default=None, ge=1, description="so many times in all")


class Teach(_Part):
    """Another teacher for some of the requests."""

    teacher: Teacher
    share: Share = Field(default=1.0, description="share of the different requests")
    contains: str = Field(default="", description="text that the last message has")


class Logprobs(_Part):
    """How log-probabilities are told where a request asks for them."""

    tokens: Literal["pieces", "bytes"] = Field(
        default="pieces", description="what a token is there: a piece, or each byte, so that some letters are several"
    )
    told: Literal["bytes", "replaced", "text", "never"] = Field(
        default="bytes",
        description="of a token that is no text: its bytes, as OpenAI does; U+FFFD in their place, as vLLM; no bytes at all and what is "
        "text in it, as llama-cpp-python; never: nothing is told of any, as by an API that passes over the request",
    )
    end: str = Field(default="", description="what the last token is called, which ends the answer and is no part of it; `` for none")


class Batches(_Part):
    """How batches go. The numbers are rows, each another one."""

    seconds: float = Field(default=5230.0, gt=0, description="from creation to the end, on the server's clock")
    ends: Literal["completed", "failed", "expired", "never"] = Field(default="completed", description="how they end")
    done: Share = Field(default=0.5, description="share of the rows that has an answer when a batch expires or is cancelled")
    shuffled: bool = Field(default=True, description="answers come in another order than the requests")
    state: str = Field(default="", description="a state that they say instead of that they run")
    counts: Literal["numbers", "null", "empty"] = Field(default="numbers", description="request_counts: as they are, nulls, or {}")
    errors: int = Field(default=0, ge=0, description="rows that fail, told in the error file")
    errors_inside: int = Field(default=0, ge=0, description="rows that fail, told in the output file")
    missing: int = Field(default=0, ge=0, description="rows that are told nowhere")
    doubled: int = Field(default=0, ge=0, description="rows that are answered twice")
    without_id: int = Field(default=0, ge=0, description="rows whose answer has no custom_id")
    broken: int = Field(default=0, ge=0, description="rows whose answer is no JSON")


# Train and validation loss of the public walk-through, epoch by epoch: the eighth is the best, the tenth the last.
RECORDED_LOSSES = (
    (2.114, 0.4167),
    (1.149, 0.2410),
    (0.662, 0.2303),
    (0.424, 0.2293),
    (0.306, 0.2261),
    (0.248, 0.2104),
    (0.218, 0.2333),
    (0.203, 0.1991),
    (0.195, 0.2149),
    (0.190, 0.2286),
)


class Jobs(_Part):
    """How fine-tuning jobs go."""

    seconds: float = Field(default=850.0, gt=0, description="from creation to the end, on the server's clock")
    ends: Literal["succeeded", "failed", "never"] = Field(default="succeeded", description="how they end; a failed one after half of it")
    state: str = Field(default="", description="a state that they say instead of that they run")
    losses: tuple[tuple[float, float], ...] = Field(
        default=RECORDED_LOSSES, min_length=1, description="train and validation loss of each epoch; the last ones stay"
    )
    checkpoints: Literal["full", "recorded"] = Field(
        default="full", description="recorded: as in the public walk-through, with id, two losses and files, and without a step or a name"
    )
    events: Literal["newest_first", "oldest_first"] = Field(default="newest_first", description="how the list of events begins")
    names: str = Field(default="checkpoint-{epoch}/{name}", description="names of a checkpoint's files; try `../../{name}`")


class Adapters(_Part):
    """How adapters go that are deployed under a name of their own."""

    seconds: float = Field(default=10.0, ge=0, description="from creation to the end, on the server's clock")
    ends: Literal["active", "error"] = Field(default="active", description="how they end; with a `status_reason` where in error")
    without_status: int = Field(default=0, ge=0, description="so many first answers that have no status")


class Endpoints(_Part):
    """How dedicated endpoints go."""

    seconds: float = Field(default=900.0, ge=0, description="from creation to readiness, on the server's clock; the second half is partial")
    ends: Literal["running", "error"] = Field(default="running", description="how the start ends")
    reply: Literal["id", "endpoint_id", "wrapped"] = Field(default="id", description="where the answer to a creation has the id")


class Script(_Part):
    """How the server behaves. The header `x-test-fault: KIND [name=value …]` and `x-test-teacher: NAME` override it for one request."""

    teacher: Teacher = Field(default="grammar", description="who answers, where no entry of `teach` says otherwise")
    teach: tuple[Teach, ...] = Field(default=(), description="other teachers for some of the requests; the first that fits")
    faults: tuple[Fault, ...] = Field(default=(), description="what goes wrong; the first that fits")
    models: tuple[str, ...] = Field(default=(), description="names that are served, 404 for others; none: all are")
    keys: tuple[str, ...] = Field(default=(), description="keys that are let in, 401 for others; none: any key is")
    seed: int = Field(default=0, description="for ids, order, shares and the teacher chain")
    latency: float = Field(default=0.0, ge=0, description="seconds until any chat answer")
    requests_per_minute: int | None = Field(default=None, ge=1, description="429 above it; told in `x-ratelimit-*`")
    tokens_per_minute: int | None = Field(default=None, ge=1, description="429 above it; told in `x-ratelimit-*`")
    window: float = Field(default=60.0, gt=0, description="seconds that a minute of the two limits has")
    logprobs: Logprobs = Field(default=Logprobs(), description="how log-probabilities are told")
    batches: Batches = Field(default=Batches(), description="how batches go")
    jobs: Jobs = Field(default=Jobs(), description="how fine-tuning jobs go")
    adapters: Adapters = Field(default=Adapters(), description="how deployed adapters go")
    endpoints: Endpoints = Field(default=Endpoints(), description="how dedicated endpoints go")
