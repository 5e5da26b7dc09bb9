"""What a model says about given answers, and the batches of it: prompt and answer side by side without padding, only answers scored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from distillc.runtimes.inference.batching import check_prompt
from distillc.runtimes.inference.packed import Packed, hidden_states

CHUNK = 128  # positions: 25 MB of float32 logits at a vocabulary of 49,152, which still fits the last-level cache
TOKENS = 2048  # in one forward pass

Answered = tuple[Sequence[int], Sequence[int]]
"""The ids of a prompt and of its answer, end token included."""


@dataclass(frozen=True)
class Batch:
    """Sequences one behind the other. `scored` are the places of the tokens that predict `targets`: the last is only predicted."""

    ids: Tensor
    packed: Packed
    scored: Tensor
    targets: Tensor

    @classmethod
    def of(cls, pairs: Sequence[Answered]) -> "Batch":
        ids: list[int] = []
        scored: list[int] = []
        targets: list[int] = []
        for prompt, answer in pairs:
            first = len(ids) + len(prompt) - 1
            ids += [*prompt, *answer[:-1]]
            scored += range(first, first + len(answer))
            targets += answer
        return cls(torch.tensor(ids), Packed([fed(pair) for pair in pairs]), torch.tensor(scored), torch.tensor(targets))


def fed(pair: Answered) -> int:
    """How many tokens go through the model. Raises StageFailed for a prompt without any: nothing would predict the first of the answer."""
    prompt, answer = pair
    check_prompt(prompt)
    return len(prompt) + len(answer) - 1


@torch.inference_mode()
def log_probs(model: Any, pairs: Sequence[Answered]) -> Iterator[tuple[int, Tensor]]:
    """The index of each pair, in any order, with log-probabilities of shape (answer, vocabulary) in float32, in nats."""
    head = model.get_output_embeddings()
    for group in by_tokens([fed(pair) for pair in pairs], TOKENS):
        batch = Batch.of([pairs[index] for index in group])
        states = hidden_states(model, batch.ids, batch.packed)[batch.scored]
        first = 0
        for run in _runs([len(pairs[index][1]) for index in group]):
            sizes = [len(pairs[group[place]][1]) for place in run]
            found = head(states[first : first + sum(sizes)]).float().log_softmax(-1)
            yield from zip((group[place] for place in run), found.split(sizes), strict=True)
            first += sum(sizes)


def by_tokens(sizes: Sequence[int], tokens: int) -> list[list[int]]:
    """Places in groups of at most `tokens` tokens (at least one sequence each), like lengths together."""
    groups: list[list[int]] = []
    held = 0
    for index in sorted(range(len(sizes)), key=lambda index: (sizes[index], index)):
        if not groups or held + sizes[index] > tokens:
            groups.append([])
            held = 0
        groups[-1].append(index)
        held += sizes[index]
    return groups


def _runs(sizes: Sequence[int]) -> Iterator[list[int]]:
    """Places in runs of about CHUNK positions, whole answers only."""
    run: list[int] = []
    held = 0
    for place, size in enumerate(sizes):
        if run and held + size > CHUNK:
            yield run
            run, held = [], 0
        run.append(place)
        held += size
    if run:
        yield run
