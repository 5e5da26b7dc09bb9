"""vLLM in this process, on a Hugging Face folder: prompts go in as ids of the folder's own tokenizer, a sorted batch at a time.

Neither vLLM nor torch is imported before a model is opened: what a server of vLLM's is started with is said here too.
"""

import importlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from distillc.plugins.api.artifacts import Completion, Decoding, Model
from distillc.plugins.engines.configs import VllmConfig, VllmModelConfig
from distillc.runtimes.inference.batching import cut, groups, own_seed

if TYPE_CHECKING:
    from distillc.runtimes.inference.loading import Text

OFFLINE = {"VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
ALONE = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
"""Scheduling is deterministic then, and no engine process outlives a killed worker."""


class VllmEngine:
    def __init__(self, config: VllmConfig) -> None:
        self.config = config

    def open(self, model: Model, *, seed: int) -> "RunningVllm":
        """Raises StageFailed for a folder without weights or tokenizer, or one that wants its own code run."""
        from distillc.runtimes.inference.loading import load_text

        text = load_text(model.folder)
        os.environ.update(OFFLINE | ALONE)  # read when vLLM is loaded
        vllm: Any = importlib.import_module("vllm")
        llm = vllm.LLM(model=str(model.folder), seed=seed, **arguments(self.config))
        return RunningVllm(llm, vllm.SamplingParams, text, seed, self.config.batch)


class RunningVllm:
    def __init__(self, llm: Any, sampling: Any, text: "Text", seed: int, batch: int) -> None:
        self._llm: Any = llm
        self._sampling, self._text, self._seed, self._batch = sampling, text, seed, batch

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        for group in groups(prompts, self._batch):
            ids = [{"prompt_token_ids": self._text.prompt(prompts[index])} for index in group]
            wanted = [self._sampling(**sampling(decoding, self._text.ends, self._seed, prompts[index])) for index in group]
            for index, output in zip(group, self._llm.generate(ids, wanted, use_tqdm=False), strict=True):
                yield index, completion(output, self._text, decoding)

    def token_ids(self, prompt: str) -> list[int]:
        return self._text.prompt(prompt)

    def timed(self, prompts: Sequence[str], tokens: int) -> Iterator[float]:
        endless = self._sampling(max_tokens=tokens, temperature=0.0, ignore_eos=True)
        for prompt in prompts:
            started = time.perf_counter()
            self._llm.generate([{"prompt_token_ids": self._text.prompt(prompt)}], endless, use_tqdm=False)
            yield time.perf_counter() - started

    def close(self) -> None:
        self._llm = None


def arguments(config: VllmModelConfig) -> Mapping[str, Any]:
    """vLLM's names for what a config says, of `LLM` and of the command line alike. The folder's `generation_config.json` decides nothing:
    what it says of sampling is not what the spec says, and the ends that it names are handed over with each prompt."""
    said = {
        "dtype": config.precision,
        "max_model_len": config.context,
        "tensor_parallel_size": config.gpus,
        "gpu_memory_utilization": config.memory,
        "generation_config": "vllm",
    }
    return {name: value for name, value in said.items() if value is not None}


def sampling(decoding: Decoding, ends: Sequence[int], seed: int, prompt: str) -> Mapping[str, Any]:
    """The fields of `SamplingParams`. What is drawn hangs on seed and prompt alone, not on the batch."""
    fields: dict[str, Any] = {"max_tokens": decoding.max_tokens, "temperature": decoding.temperature, "stop_token_ids": list(ends)}
    if decoding.stop:
        fields["stop"] = list(decoding.stop)
    if decoding.temperature > 0:
        fields["seed"] = own_seed(seed, prompt)
    return fields


def completion(output: Any, text: "Text", decoding: Decoding) -> Completion:
    """The answer in a `RequestOutput`, as the folder's own tokenizer spells it. Its ids have the end token where one ended it."""
    [one] = output.outputs
    ids = list(one.token_ids)
    if one.finish_reason == "stop" and ids and ids[-1] in text.ends:
        ids.pop()
    return Completion(
        text=cut(text.decode(ids), decoding.stop)[0],
        finish_reason=one.finish_reason if one.finish_reason in ("stop", "length") else "error",
        prompt_tokens=len(output.prompt_token_ids),
        completion_tokens=len(ids),
    )
