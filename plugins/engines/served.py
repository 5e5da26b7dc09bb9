"""Models behind a server of our own: llama.cpp's or vLLM's, started for the stages that ask it, asked as an API is.

A prompt goes as it is, as a plain completion: the server sees the ids that the engine without a server feeds.
"""

import os
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from distillc.plugins.api.artifacts import Completion, Decoding, Model
from distillc.plugins.api.engines import Server
from distillc.plugins.engines import llama_cpp_server
from distillc.plugins.engines.asking import Asking
from distillc.plugins.engines.configs import LlamaCppServerConfig, ServerConfig, VllmServerConfig
from distillc.plugins.engines.gguf_file import gguf_file
from distillc.plugins.engines.vllm import OFFLINE, arguments
from distillc.runtimes.inference.batching import own_seed
from distillc.runtimes.inference.process import cores
from distillc.runtimes.remote import completions
from distillc.runtimes.remote.chat import Body
from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.runtimes.remote.failures import Rejected
from distillc.runtimes.remote.pacing import Pace
from distillc.spec.errors import StageFailed

RETRIES = 1  # a server on this machine that does not answer has ended, most often
OPEN = {"VLLM_API_KEY": ""}  # the key of somebody else's server, which ours would ask for
AT_A_TIME = 2  # llama.cpp's server answers one after the other: another prompt waits at its door


class LlamaCppServer:
    def __init__(self, config: LlamaCppServerConfig) -> None:
        self.config = config

    def server(self, model: Model, *, port: int) -> Server:
        """Raises StageFailed for a folder without exactly one GGUF file, and for a file that our reader refuses."""
        name, threads = own_name(), self.config.threads or cores()
        command = llama_cpp_server.command(
            gguf_file(model),
            name=name,
            port=port,
            context=self.config.context,
            threads=threads,
            flash_attn=True,  # llama.cpp's own choice, and the engine's: without it 12 of 200 greedy answers of the tiny model were others
            logits_all=False,  # the vocabulary times the context, in 32 bits, which nobody asks for
        )
        return Server(command, name, patience=self.config.patience)

    def open(self, model: Model, *, seed: int, base_url: str, name: str) -> "RunningLlamaCppServer":
        return RunningLlamaCppServer(self.config, seed, Endpoint(base_url=base_url, name=name), AT_A_TIME)


class VllmServer:
    def __init__(self, config: VllmServerConfig) -> None:
        self.config = config

    def server(self, model: Model, *, port: int) -> Server:
        name = own_name()
        options: Mapping[str, Any] = {"host": "127.0.0.1", "port": port, "served-model-name": name, **arguments(self.config)}
        said = [str(part) for option, value in options.items() for part in (f"--{option.replace('_', '-')}", value)]
        command = [sys.executable, "-P", "-m", "vllm.entrypoints.cli.main", "serve", str(model.folder), *said]  # what `vllm serve` runs
        return Server(command, name, environment=OFFLINE | OPEN, patience=self.config.patience)

    def open(self, model: Model, *, seed: int, base_url: str, name: str) -> "RunningVllmServer":
        """Raises StageFailed for a folder without weights or tokenizer, or one that wants its own code run."""
        return RunningVllmServer(self.config, seed, Endpoint(base_url=base_url, name=name), model.folder)


class RunningServer(Asking):
    """`more`: what this kind of server has to be told beside."""

    def __init__(self, config: ServerConfig, seed: int, endpoint: Endpoint, concurrency: int, more: Mapping[str, Any]) -> None:
        self.seed, self.endpoint, self.more = seed, endpoint, more
        pace = Pace(concurrency)
        client = Client(endpoint, None, pace=pace, timeout=config.timeout, retries=RETRIES, own=True)
        super().__init__(client, path=completions.PATH, read=completions.completion)

    @abstractmethod
    def prompt(self, text: str) -> str | list[int]:
        """A prompt as it is sent."""

    def body(self, decoding: Decoding) -> Callable[[str], Body]:
        constant = {**completions.constant(self.endpoint.name, decoding), **self.more}
        if not decoding.temperature:
            return lambda prompt: {**constant, "prompt": self.prompt(prompt)}
        return lambda prompt: {**constant, "prompt": self.prompt(prompt), "seed": own_seed(self.seed, prompt)}

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        try:
            yield from super().generate(prompts, inputs, decoding)
        except Rejected as error:
            help = "is a prompt longer than the engine's `context`? The server's log in the run's folder has all that it said"
            raise StageFailed(error.message, help=help) from error


class RunningLlamaCppServer(RunningServer):
    def __init__(self, config: LlamaCppServerConfig, seed: int, endpoint: Endpoint, concurrency: int) -> None:
        super().__init__(config, seed, endpoint, concurrency, {"repeat_penalty": 1.0})

    def prompt(self, text: str) -> str:
        return text

    def token_ids(self, prompt: str) -> list[int]:
        return self.loop.run_until_complete(self._ids(prompt))

    async def _ids(self, prompt: str) -> list[int]:
        url = self.endpoint.base_url.removesuffix("/v1") + "/extras/tokenize"
        with self.client.clear_errors():
            response = await self.client.http.post(url, json={"input": prompt})
        return list(map(int, self.client.read(response)["tokens"]))


class RunningVllmServer(RunningServer):
    """Takes ids, those that transformers would be fed."""

    def __init__(self, config: VllmServerConfig, seed: int, endpoint: Endpoint, folder: Path) -> None:
        from distillc.runtimes.inference.loading import load_text

        self.text = load_text(folder)
        super().__init__(config, seed, endpoint, config.concurrency, {"repetition_penalty": 1.0, "stop_token_ids": list(self.text.ends)})

    def prompt(self, text: str) -> list[int]:
        return self.text.prompt(text)

    def token_ids(self, prompt: str) -> list[int]:
        return self.text.prompt(prompt)


def own_name() -> str:
    """No other server on this machine has it: it is that of the process which starts one."""
    return f"distillc-{os.getpid()}"
