"""llama.cpp on a GGUF file, through its low-level API: sequences of a batch are decoded side by side.

A file is looked at by our own bounded reader before native code sees it: llama.cpp has crashed and read out of bounds on
hand-made headers (design, section 5).
"""

import ctypes
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from distillc.plugins.api.artifacts import Completion, Decoding, Model
from distillc.plugins.engines.configs import LlamaCppConfig
from distillc.plugins.engines.gguf_file import gguf_file
from distillc.runtimes.inference.batching import CACHED_TOKENS, Answers, batches, longest, own_seed
from distillc.runtimes.inference.llama_log import last_words, listen
from distillc.runtimes.inference.process import cores
from distillc.spec.errors import StageFailed

PIECE_BYTES = 256  # no token of a byte-level vocabulary is longer
CELLS = 256  # llama.cpp's steps of the room that a sequence has
SCORED_TOKENS = 512  # in one batch: llama.cpp computes no more at once, and 100 MB of logits at a vocabulary of 49,152
SCORED_SEQUENCES = 64


class LlamaCppEngine:
    def __init__(self, config: LlamaCppConfig) -> None:
        self.config = config

    def open(self, model: Model, *, seed: int) -> "RunningLlama":
        """Raises StageFailed for a folder without exactly one GGUF file, and for a file that our reader or llama.cpp refuses."""
        return RunningLlama(gguf_file(model), self.config, seed)


class RunningLlama:
    """One model and one context, whose cache holds a whole batch. Nothing is printed."""

    def __init__(self, file: Path, config: LlamaCppConfig, seed: int) -> None:
        listen()
        llama_cpp.llama_backend_init()
        self.config = config
        self.seed = seed
        self.threads = config.threads or cores()
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model: Any = llama_cpp.llama_model_load_from_file(str(file).encode(), parameters)
        if not self.model:
            raise StageFailed(
                f"llama.cpp cannot load {file.name}: {last_words()}", help="`distillc verify` tells whether the file is damaged"
            )
        self.tokens: Any = llama_cpp.llama_model_get_vocab(self.model)
        self.vocabulary: int = llama_cpp.llama_vocab_n_tokens(self.tokens)
        self.context: Any = None
        self.room = (0, 0)
        self.scorer: Any = None
        self.scorer_room = 0
        self.pieces: dict[int, bytes] = {}

    def close(self) -> None:
        for context in (self.context, self.scorer):
            if context:
                llama_cpp.llama_free(context)
        self.context = self.scorer = None
        if self.model:
            llama_cpp.llama_model_free(self.model)
            self.model = None

    def token_ids(self, prompt: str) -> list[int]:
        return self.tokenized(prompt, around=True)

    def answer_ids(self, answer: str) -> list[int]:
        """Raises StageFailed for a file that names no end token."""
        end: Any = llama_cpp.llama_vocab_eos(self.tokens)
        if end < 0:
            raise StageFailed("the GGUF file names no end token", help="set tokenizer.ggml.eos_token_id in it, or convert it again")
        return [*self.tokenized(answer, around=False), end]

    def tokenized(self, text: str, *, around: bool) -> list[int]:
        """`around`: with what the file's tokenizer puts around a text (BOS, mostly nothing)."""
        data = text.encode("utf-8")
        room = len(data) + 8  # a token has at least one byte; BOS and EOS beside them
        ids: Any = (llama_cpp.llama_token * room)()
        n = llama_cpp.llama_tokenize(self.tokens, data, len(data), ids, room, around, True)
        if n < 0:
            raise StageFailed(f"llama.cpp cannot tokenize a text of {len(data)} bytes")
        return list(ids[:n])

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        ids = [self.token_ids(prompt) for prompt in prompts]
        for chunk in batches([len(i) for i in ids], self.config.batch, decoding.max_tokens):
            samplers = [sampler(self.seed, prompts[index]) for index in chunk] if decoding.temperature > 0 else None
            yield from zip(chunk, self.answer([ids[index] for index in chunk], decoding, samplers), strict=True)

    def timed(self, prompts: Sequence[str], tokens: int) -> Iterator[float]:
        for prompt in prompts:
            started = time.perf_counter()
            self.answer([self.token_ids(prompt)], Decoding(max_tokens=tokens), None, endless=True)
            yield time.perf_counter() - started

    def log_probs(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Iterator[tuple[int, Any]]:
        """Keys and values in 32 bits and plain attention: over weights in 32 bits, that is what transformers computes, to 1e-5."""
        import torch

        from distillc.runtimes.inference.scoring import by_tokens, fed

        sizes = [fed(pair) for pair in pairs]
        for group in by_tokens([max(size, SCORED_TOKENS // SCORED_SEQUENCES) for size in sizes], SCORED_TOKENS):
            longest = max(sizes[index] for index in group)
            self.trained_for(longest)
            self.reserve_scorer(max(SCORED_TOKENS, longest))
            forget(self.scorer)
            # The row of each answer id is that of the token before it: the last id of the prompt speaks of the first of the answer.
            parts = [(place, [*pairs[index][0], *pairs[index][1][:-1]], 0, len(pairs[index][1])) for place, index in enumerate(group)]
            logits = torch.from_numpy(self.decode(self.scorer, parts))
            for index, part in zip(group, torch.split(logits, [wanted for *_, wanted in parts]), strict=True):
                yield index, part.log_softmax(-1)

    def answer(
        self,
        prompts: Sequence[list[int]],
        decoding: Decoding,
        samplers: Sequence[np.random.Generator] | None,
        *,
        endless: bool = False,
    ) -> list[Completion]:
        """`endless` writes the end token on like any other."""
        self.reserve(len(prompts), longest(prompts) + decoding.max_tokens)
        forget(self.context)
        logits = self.decode(self.context, [(sequence, ids, 0, 1) for sequence, ids in enumerate(prompts)])
        answers = Answers(prompts, decoding, (lambda _: False) if endless else self.is_end, self.text)
        for position in range(decoding.max_tokens):
            answers.add(choose(logits, decoding.temperature, None if samplers is None else [samplers[i] for i in answers.alive]))
            if not answers.alive or position + 1 == decoding.max_tokens:
                break
            logits = self.decode(self.context, [(i, answers.ids[i][-1:], len(prompts[i]) + position, 1) for i in answers.alive])
        return answers.completions()

    def decode(self, context: Any, parts: Sequence[tuple[int, list[int], int, int]]) -> NDArray[np.float32]:
        """Feeds (sequence, ids, first position, wanted) of each part; the logits after the last `wanted` ids of each, one behind the
        other, shape (all that are wanted, vocabulary)."""
        total = sum(len(ids) for _, ids, _, _ in parts)
        batch = llama_cpp.llama_batch_init(total, 0, 1)
        try:
            at = 0
            for sequence, ids, first, wanted in parts:
                for offset, token in enumerate(ids):
                    batch.token[at] = token
                    batch.pos[at] = first + offset
                    batch.n_seq_id[at] = 1
                    batch.seq_id[at][0] = sequence
                    batch.logits[at] = offset >= len(ids) - wanted
                    at += 1
            batch.n_tokens = total
            code = llama_cpp.llama_decode(context, batch)
            if code:
                raise StageFailed(f"llama.cpp stopped with code {code} on a batch of {total} tokens", help="set a smaller `batch`")
            rows = sum(wanted for *_, wanted in parts)
            return np.ctypeslib.as_array(llama_cpp.llama_get_logits(context), shape=(rows, self.vocabulary)).copy()
        finally:
            llama_cpp.llama_batch_free(batch)

    def reserve(self, sequences: int, length: int) -> None:
        """Makes a context with room for so many sequences of so many tokens, unless there is one. It keeps the room that was asked for
        before, where both together are no more than a batch may be."""
        if self.context and sequences <= self.room[0] and length <= self.room[1]:
            return
        length = min(self.trained_for(length), -(-length // CELLS) * CELLS)
        if self.context:
            llama_cpp.llama_free(self.context)
        both = (max(sequences, self.room[0]), max(length, self.room[1]))
        self.room = both if both[0] * both[1] <= CACHED_TOKENS else (sequences, length)
        parameters = self.parameters(self.room[0], self.room[0] * self.room[1])
        parameters.kv_unified = False
        self.context = llama_cpp.llama_init_from_model(self.model, parameters)
        if not self.context:
            raise StageFailed(f"llama.cpp cannot hold {self.room[0]} sequences of {self.room[1]} tokens", help="set a smaller `batch`")

    def reserve_scorer(self, tokens: int) -> None:
        """Makes a context with room for so many tokens of up to SCORED_SEQUENCES sequences, unless there is one."""
        if tokens <= self.scorer_room:
            return
        if self.scorer:
            llama_cpp.llama_free(self.scorer)
        self.scorer_room = tokens
        parameters = self.parameters(SCORED_SEQUENCES, tokens)
        parameters.kv_unified = True
        parameters.type_k = parameters.type_v = llama_cpp.GGML_TYPE_F32
        parameters.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self.scorer = llama_cpp.llama_init_from_model(self.model, parameters)
        if not self.scorer:
            raise StageFailed(f"llama.cpp cannot hold {tokens} tokens", help="drop long rows with `curate: length`")

    def trained_for(self, length: int) -> int:
        """The longest text that the model was made for. Raises StageFailed where this one is longer."""
        trained = int(llama_cpp.llama_model_n_ctx_train(self.model))
        if length > trained:
            raise StageFailed(
                f"prompt and answer need {length} tokens, the model was made for {trained}",
                help="set a smaller `decoding.max_tokens`, or drop long rows with `curate: length`",
            )
        return trained

    def parameters(self, sequences: int, tokens: int) -> Any:
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = tokens
        parameters.n_ubatch = min(512, tokens)
        parameters.n_seq_max = sequences
        parameters.n_threads = parameters.n_threads_batch = self.threads
        return parameters

    def is_end(self, token: int) -> bool:
        return bool(llama_cpp.llama_vocab_is_eog(self.tokens, token))

    def text(self, ids: Sequence[int]) -> str:
        return b"".join(self.piece(token) for token in ids).decode("utf-8", "replace")

    def piece(self, token: int) -> bytes:
        """The bytes of a token; none for a control token."""
        if token not in self.pieces:
            buffer = ctypes.create_string_buffer(PIECE_BYTES)
            n = llama_cpp.llama_token_to_piece(self.tokens, token, buffer, PIECE_BYTES, 0, False)
            if n < 0:
                buffer = ctypes.create_string_buffer(-n)
                n = llama_cpp.llama_token_to_piece(self.tokens, token, buffer, -n, 0, False)
            self.pieces[token] = buffer.raw[:n]
        return self.pieces[token]


def forget(context: Any) -> None:
    memory: Any = llama_cpp.llama_get_memory(context)
    llama_cpp.llama_memory_clear(memory, True)


def sampler(seed: int, prompt: str) -> np.random.Generator:
    """Random numbers that hang on seed and prompt alone, not on the batch."""
    return np.random.default_rng(own_seed(seed, prompt, bits=64))


def choose(logits: NDArray[np.float32], temperature: float, samplers: Sequence[np.random.Generator] | None) -> list[int]:
    """The best id of each row, or one drawn by Gumbel's trick: argmax of log-probability / T + noise."""
    if samplers is None:
        return [int(i) for i in logits.argmax(-1)]
    noise = np.stack([generator.gumbel(size=logits.shape[1]) for generator in samplers])
    return [int(i) for i in (logits / temperature + noise).argmax(-1)]
