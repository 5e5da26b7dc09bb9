"""A model behind an OpenAI-compatible API: prompts go out side by side, as many as the API takes, or as files that are answered later."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from distillc.compiler.facts.locate import locate
from distillc.plugins.api.artifacts import Completion, Decoding, Model
from distillc.plugins.api.engines import Meter
from distillc.plugins.engines.asking import Asking
from distillc.plugins.engines.configs import HttpConfig
from distillc.runtimes.given import given
from distillc.runtimes.inference.logprobs import unpack
from distillc.runtimes.inference.token_bytes import TokenBytes, token_bytes
from distillc.runtimes.remote import chat
from distillc.runtimes.remote.batches import Batches
from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.endpoint import read_endpoint
from distillc.runtimes.remote.pacing import Pace
from distillc.spec.errors import StageFailed


class HttpEngine:
    def __init__(self, config: HttpConfig) -> None:
        self.config = config
        self.emit: Callable[..., None] | None = None

    def tell_by(self, emit: Callable[..., None]) -> None:
        self.emit = emit

    def open(self, model: Model, *, seed: int, folder: Path) -> "RunningHttp":
        """Raises StageFailed where the address must not be called, and but for batches where the key is refused, or the API has no model
        of that name."""
        running = RunningBatches if self.config.mode == "batch" else RunningHttp
        return running(self.config, model, seed, folder, self.emit)


class RunningHttp(Asking):
    def __init__(self, config: HttpConfig, model: Model, seed: int, folder: Path, emit: Callable[..., None] | None = None) -> None:
        self.config, self.folder = config, folder
        self.endpoint = read_endpoint(model.folder)
        self.seed = seed
        super().__init__(
            Client.to(
                self.endpoint,
                config.api_key,
                folder,
                pace=Pace(config.concurrency),
                timeout=config.timeout,
                retries=config.retries,
                quiet=config.retention == "none",
                emit=emit,
            )
        )

    def pay_by(self, meter: Meter) -> None:
        self.answering.meter = meter

    def body(self, decoding: Decoding) -> Callable[[str], chat.Body]:
        return chat.asking(self.endpoint, decoding, seed=self.seed, retention=self.config.retention)

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        tokens = self.tokens(decoding)
        for index, completion in super().generate(prompts, inputs, decoding):
            yield index, completion
            try:
                check_tokens(completion, tokens)
            except StageFailed as error:
                self.answering.end(error)

    def tokens(self, decoding: Decoding) -> TokenBytes | None:
        """Those of `tokenizer`, where log-probabilities are asked for. Raises StageFailed for what is none, before any call."""
        if not decoding.top_logprobs or self.config.tokenizer is None:
            return None
        with given():
            return token_bytes(locate(self.config.tokenizer, self.folder))

    def token_ids(self, prompt: str) -> list[int]:
        return []


class RunningBatches(RunningHttp):
    """`timed` asks directly: what is measured is no batch. The name is checked when a batch is made: one that is out is collected first."""

    is_checked = False
    meter: Meter | None = None
    batches: Batches

    def pay_by(self, meter: Meter) -> None:
        super().pay_by(meter)
        self.meter = meter

    def wait_in(self, work: Path, emit: Callable[..., None]) -> None:
        self.batches = Batches(
            self.loop,
            self.client,
            work,
            emit,
            api_key=self.config.api_key,
            about={"folder": str(self.folder), "retention": self.config.retention},
            keep=self.config.retention == "any",
            longest=self.config.poll,
            patience=self.config.patience,
        )

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        tokens = self.tokens(decoding)
        for index, completion in self.batches.answers(prompts, self.body(decoding), self.meter):
            yield index, completion
            check_tokens(completion, tokens)


def check_tokens(completion: Completion, tokens: TokenBytes | None) -> None:
    """Raises StageFailed where an answer that somebody has is written in other tokens: the stage that learns from them would do so too,
    when all answers are paid."""
    if tokens and completion.logprobs:
        for written, *_ in unpack(completion.logprobs)[0]:
            tokens.id_of_written(written.token)
