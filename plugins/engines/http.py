"""A model behind an OpenAI-compatible API: prompts go out side by side, as many as the API takes, or as files that are answered later."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from distillc.plugins.api.artifacts import Completion, Decoding, Model
from distillc.plugins.api.engines import Meter
from distillc.plugins.engines.asking import Asking
from distillc.plugins.engines.configs import HttpConfig
from distillc.runtimes.remote import chat
from distillc.runtimes.remote.batches import Batches
from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.endpoint import read_endpoint
from distillc.runtimes.remote.pacing import Pace


class HttpEngine:
    def __init__(self, config: HttpConfig) -> None:
        self.config = config

    def open(self, model: Model, *, seed: int, folder: Path) -> "RunningHttp":
        """Raises StageFailed where the address must not be called, the key is refused, or the API has no model of that name."""
        running = RunningBatches if self.config.mode == "batch" else RunningHttp
        return running(self.config, model, seed, folder)


class RunningHttp(Asking):
    def __init__(self, config: HttpConfig, model: Model, seed: int, folder: Path) -> None:
        self.config, self.folder = config, folder
        self.endpoint = read_endpoint(model.folder)
        self.seed = seed
        pace = Pace(config.concurrency)
        super().__init__(Client.to(self.endpoint, config.api_key, folder, pace=pace, timeout=config.timeout, retries=config.retries))

    def pay_by(self, meter: Meter) -> None:
        self.answering.meter = meter

    def body(self, decoding: Decoding) -> Callable[[str], chat.Body]:
        return chat.asking(self.endpoint, decoding, seed=self.seed, retention=self.config.retention)

    def token_ids(self, prompt: str) -> list[int]:
        return []


class RunningBatches(RunningHttp):
    """`timed` asks directly: what is measured is no batch."""

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
            about={"folder": str(self.folder)},
            keep=self.config.retention == "any",
            longest=self.config.poll,
            patience=self.config.patience,
        )

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        yield from self.batches.answers(prompts, self.body(decoding), self.meter)
