"""onnxruntime-genai on the folder that its model builder wrote.

Prompts of a batch are padded on the right, which the library undoes; it finds the padding by the pad token's id, so a prompt
that has this id inside runs alone.
"""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime_genai
from tokenizers import Tokenizer

from distillc.plugins.api.artifacts import Completion, Decoding, Model
from distillc.plugins.engines.configs import OnnxGenaiConfig
from distillc.runtimes.inference.batching import Answers, batches, longest
from distillc.runtimes.inference.process import cores
from distillc.spec.errors import StageFailed

og: Any = onnxruntime_genai  # its names come from native code, which type checkers cannot see


class OnnxGenaiEngine:
    def __init__(self, config: OnnxGenaiConfig) -> None:
        self.config = config

    def open(self, model: Model, *, seed: int) -> "RunningOnnx":
        """Raises StageFailed for a folder that onnxruntime-genai cannot load."""
        try:
            return RunningOnnx(model.folder, self.config, seed)
        except (RuntimeError, OSError, ValueError, KeyError) as error:
            raise StageFailed(
                f"onnxruntime-genai cannot load the model: {error}",
                where=model.info.name,
                help="`distillc verify` tells whether it is damaged",
            ) from error


class RunningOnnx:
    def __init__(self, folder: Path, config: OnnxGenaiConfig, seed: int) -> None:
        og.disable_telemetry_events()
        self.config = config
        self.seed = seed
        described = json.loads((folder / "genai_config.json").read_text("utf-8"))["model"]
        ends = described["eos_token_id"]
        self.ends = frozenset(ends if isinstance(ends, list) else [ends])
        self.pad = int(described["pad_token_id"])
        self.longest = int(described["context_length"])
        threads = config.threads or cores()
        settings = og.Config(str(folder))
        settings.overlay(json.dumps({"model": {"decoder": {"session_options": {"intra_op_num_threads": threads}}}}))
        self.model: Any = og.Model(settings)
        self.tokenizer: Any = og.Tokenizer(self.model)
        # Its own decoder drops all that follows bytes which are not UTF-8, so ids become text as everywhere else.
        self.decoder = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def close(self) -> None:
        self.tokenizer = None
        self.model = None

    def token_ids(self, prompt: str) -> list[int]:
        return [int(i) for i in self.tokenizer.encode(prompt)]

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        ids = [self.token_ids(prompt) for prompt in prompts]
        for chunk in self.chunks(ids, decoding.max_tokens):
            yield from zip(chunk, self.answer([ids[index] for index in chunk], decoding), strict=True)

    def timed(self, prompts: Sequence[str], tokens: int) -> Iterator[float]:
        for prompt in prompts:
            started = time.perf_counter()
            ids = self.token_ids(prompt)
            generator = self.generator([ids], tokens, Decoding(max_tokens=tokens), least=len(ids) + tokens)
            for _ in range(tokens):
                generator.generate_next_token()
            yield time.perf_counter() - started

    def chunks(self, ids: Sequence[list[int]], max_tokens: int) -> Iterator[list[int]]:
        """Batches of prompts without the pad token, then the others one by one."""
        padded = [index for index, prompt in enumerate(ids) if self.pad not in prompt]
        for chunk in batches([len(ids[index]) for index in padded], self.config.batch, max_tokens):
            yield [padded[place] for place in chunk]
        yield from ([index] for index, prompt in enumerate(ids) if self.pad in prompt)

    def answer(self, prompts: Sequence[list[int]], decoding: Decoding) -> list[Completion]:
        """A batch runs until its last answer has ended."""
        generator = self.generator(prompts, decoding.max_tokens, decoding)
        answers = Answers(prompts, decoding, self.ends.__contains__, self.text)
        for _ in range(decoding.max_tokens):
            if not answers.alive or generator.is_done():
                break
            generator.generate_next_token()
            tokens = generator.get_next_tokens()
            answers.add([int(tokens[index]) for index in answers.alive])
        return answers.completions()

    def generator(self, prompts: Sequence[list[int]], tokens: int, decoding: Decoding, least: int = 0) -> Any:
        length = longest(prompts)
        if length + tokens > self.longest:
            raise StageFailed(
                f"prompt and answer need {length + tokens} tokens, the model was made for {self.longest}",
                help="set a smaller `decoding.max_tokens`, or drop long rows with `curate: length`",
            )
        options: dict[str, Any] = {"batch_size": len(prompts), "max_length": length + tokens, "min_length": least, "do_sample": False}
        if decoding.temperature > 0:
            options |= {"do_sample": True, "temperature": decoding.temperature, "top_k": 0, "top_p": 1.0, "random_seed": self.seed}
        parameters = og.GeneratorParams(self.model)
        parameters.set_search_options(**options)
        generator = og.Generator(self.model, parameters)
        generator.append_tokens(np.array([[*ids, *[self.pad] * (length - len(ids))] for ids in prompts], dtype=np.int32))
        return generator

    def text(self, ids: Sequence[int]) -> str:
        return str(self.decoder.decode(list(ids), skip_special_tokens=True))
