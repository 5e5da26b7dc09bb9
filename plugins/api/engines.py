"""Engines run a model: transformers, llama.cpp, onnxruntime-genai, an API, rules."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from distillc.plugins.api.artifacts import Completion, Decoding, Model
from distillc.spec.errors import BudgetReached


class Running(Protocol):
    """A model in memory. One thread uses it; `close` gives the memory back."""

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        """Answers with the index of their prompt, in any order, each as soon as its batch is done.

        `prompts` are rendered; `inputs` are the bare inputs, for engines that are rules. Greedy at temperature 0. The batches
        must be a pure function of `prompts`, so that a run that is resumed computes what an unbroken one does.
        """
        ...

    def token_ids(self, prompt: str) -> list[int]:
        """The ids that the engine itself feeds for a prompt (its own tokenizer, its own BOS rule): what the parity check compares."""
        ...

    def timed(self, prompts: Sequence[str], tokens: int) -> Iterator[float]:
        """Seconds for each prompt, one after the other, prompt included; exactly `tokens` tokens are generated (end of text ignored)."""
        ...

    def close(self) -> None: ...


class Scoring(Running, Protocol):
    """What `open` gives for an engine whose capability `does` names `score_tokens`."""

    @property
    def vocabulary(self) -> int:
        """How many ids the log-probabilities are over."""
        ...

    def answer_ids(self, answer: str) -> list[int]:
        """The ids of a text that goes on after a prompt, and the end token: what this model would have had to write."""
        ...

    def log_probs(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Iterator[tuple[int, Any]]:
        """What the model says about given answers: for each pair (ids of a prompt, ids of its answer with the end token) its index, in
        any order, and a float32 tensor of shape (answer, vocabulary), in nats, at temperature 1: row t is about the answer's id t."""
        ...


class Meter(Protocol):
    """What calls may still cost. A call is reserved before it is sent, each try of it by itself, and then settled, lost or released.

    `reserve` takes the most tokens that the call may take, and raises BudgetReached where that could overshoot. While others are
    `in_flight`, wait until one of them is settled and ask again, for most calls cost less than they could. `in_job`: a kill does not lose
    the answer, for the job that it comes with is found again.
    """

    @property
    def in_flight(self) -> int: ...

    def reserve(self, prompt_tokens: int, max_tokens: int, *, in_job: bool = False) -> Any: ...

    def refusal(self, prompt_tokens: int, max_tokens: int, calls: int = 1) -> BudgetReached | None:
        """The BudgetReached with which so many calls would be refused, that may take so many tokens in all."""
        ...

    def settle(self, reservation: Any, prompt_tokens: int, completion_tokens: int) -> None:
        """What the call took."""
        ...

    def lose(self, *reservations: Any) -> None:
        """They gave no answer and may be billed all the same: the most that they may cost counts."""
        ...

    def release(self, reservation: Any) -> None:
        """The call cost nothing."""
        ...


@runtime_checkable
class Metered(Protocol):
    """What `open` gives for an engine whose calls somebody bills: it is told, before it generates, by which meter."""

    def pay_by(self, meter: Meter) -> None: ...


@runtime_checkable
class Waiting(Protocol):
    """What `open` gives for an engine whose answers may come as a job, in hours."""

    def wait_in(self, work: Path, emit: Callable[..., None]) -> None:
        """Before it generates: a folder that survives a kill, for what is out, and where it tells how far that is."""
        ...


class Engine(Protocol):
    """Made as `impl(config)`. Rules have no tokens: their `token_ids` is empty and `timed` times one answer."""

    def open(self, model: Model, *, seed: int) -> Running: ...


class RemoteEngine(Protocol):
    """An engine that asks somebody else's machine: its capability `remote` is true.

    What it answers to one prompt does not hang on what else it is asked, so each answer is journalled by itself. `folder` is the spec's:
    secrets in files are relative to it.
    """

    def open(self, model: Model, *, seed: int, folder: Path) -> Running: ...


@runtime_checkable
class Telling(Protocol):
    """An engine that may have to wait for whom it asks, and says so."""

    def tell_by(self, emit: Callable[..., None]) -> None:
        """Before it opens a model: `emit("waits", why=…, seconds=…)` is for waits that somebody would wonder at; it names the model."""
        ...


class Server(NamedTuple):
    """A server of the OpenAI kind as a process of its own, on loopback: how it is started, and what it calls its model.

    `environment` is added to that of the run. `patience`: seconds until it has to answer.
    """

    command: Sequence[str]
    name: str
    environment: Mapping[str, str] = {}
    patience: float = 120.0


class LeasedEngine(Protocol):
    """An engine that asks a server of its own, on this machine: its capability `lease` is true.

    The server is started for the first stage that asks it and ends after the last one. As of a `RemoteEngine`, what it answers to one
    prompt does not hang on what else it is asked, so each answer is journalled by itself; nobody bills it.
    """

    def server(self, model: Model, *, port: int) -> Server:
        """The server for a model. It listens on 127.0.0.1 at this port, and serves under a name that no other server has."""
        ...

    def open(self, model: Model, *, seed: int, base_url: str, name: str) -> Running:
        """Asks the server that was started so."""
        ...
