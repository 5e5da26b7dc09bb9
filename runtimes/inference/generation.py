"""Generation in batches: prompts without padding, sorted by length, rows that are done leave the batch.

The batches are a pure function of the prompts, so what is computed again after a kill is what an unbroken run computes.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from distillc.plugins.api.artifacts import Completion, Decoding
from distillc.runtimes.inference.batching import Answers, batches, longest, own_seed
from distillc.runtimes.inference.loading import Text
from distillc.runtimes.inference.packed import KeyValueCache, Packed, Step, hidden_states


@torch.inference_mode()
def generate(
    model: Any, text: Text, prompts: Sequence[str], decoding: Decoding, *, seed: int, batch: int
) -> Iterator[tuple[int, Completion]]:
    """Answers with the index of their prompt, each as soon as its batch is done."""
    ids = [text.prompt(prompt) for prompt in prompts]
    for chunk in batches([len(i) for i in ids], batch, decoding.max_tokens):
        samplers = [_sampler(seed, prompts[index]) for index in chunk] if decoding.temperature > 0 else None
        answers = _answer_batch(model, text, [ids[index] for index in chunk], decoding, samplers)
        yield from zip(chunk, answers, strict=True)


@torch.inference_mode()
def timed(model: Any, text: Text, prompts: Sequence[str], tokens: int) -> Iterator[float]:
    """Seconds for each prompt alone, prompt included, for exactly `tokens` tokens; the end token is written on like any other."""
    never = Text(text.tokenizer, ())
    for prompt in prompts:
        started = time.perf_counter()
        _answer_batch(model, never, [text.prompt(prompt)], Decoding(max_tokens=tokens), None)
        yield time.perf_counter() - started


def _sampler(seed: int, prompt: str) -> torch.Generator:
    return torch.Generator().manual_seed(own_seed(seed, prompt, bits=56))


def _choose(logits: Tensor, temperature: float, samplers: list[torch.Generator] | None, alive: list[int]) -> list[int]:
    if samplers is None:
        best: list[int] = logits.argmax(-1).tolist()
        return best
    probabilities = (logits / temperature).softmax(-1)
    return [int(torch.multinomial(row, 1, generator=samplers[index])) for row, index in zip(probabilities, alive, strict=True)]


def _answer_batch(
    model: Any, text: Text, prompts: Sequence[list[int]], decoding: Decoding, samplers: list[torch.Generator] | None
) -> list[Completion]:
    cache = KeyValueCache(len(prompts), longest(prompts) + decoding.max_tokens)
    head = model.get_output_embeddings()
    packed = Packed([len(ids) for ids in prompts], cache)
    states = hidden_states(model, torch.tensor([i for ids in prompts for i in ids]), packed)
    cache.lengths = torch.tensor(packed.lengths)
    logits = head(states[packed.ends])
    answers = Answers(prompts, decoding, text.ends.__contains__, text.decode)
    for position in range(decoding.max_tokens):
        chosen = _choose(logits, decoding.temperature, samplers, answers.alive)
        going = answers.add(chosen)
        if not going or position + 1 == decoding.max_tokens:
            break
        if len(going) < len(chosen):
            cache.keep(torch.tensor(going))
            chosen = [chosen[place] for place in going]
        step = Step.after(cache)
        logits = head(hidden_states(model, torch.tensor(chosen), step))
        cache.lengths = cache.lengths + 1
    return answers.completions()
