"""A teacher's forward pass over given answers: what goes into the signals."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from distillc.runtimes.inference.packed import hidden_states
from distillc.runtimes.training.examples import Example
from distillc.runtimes.training.head import CHUNK, Batch, by_tokens
from distillc.runtimes.training.signals import SignalHeader, SignalWriter

TOKENS = 2048  # in one forward pass


@torch.inference_mode()
def capture(model: Any, examples: Sequence[Example], header: SignalHeader) -> SignalWriter:
    """Signals for the examples, in their order; only answer positions go through the head."""
    head = model.get_output_embeddings()
    found: dict[int, SignalWriter] = {}
    for group in by_tokens(examples, TOKENS):
        batch = Batch.of([examples[index] for index in group])
        states = hidden_states(model, batch.ids, batch.packed)[batch.scored]
        first = 0
        for part in _slices([len(examples[index].answer) for index in group]):
            rows = [group[place] for place in part]
            last = first + sum(len(examples[index].answer) for index in rows)
            log_probs = head(states[first:last]).float().log_softmax(-1)
            at = 0
            for index in rows:
                size = len(examples[index].answer)
                found[index] = SignalWriter(header)
                found[index].add(examples[index].row_id, examples[index].answer, log_probs[at : at + size])
                at += size
            first = last
    return SignalWriter.joined(header, [found[index] for index in range(len(examples))])


def _slices(sizes: Sequence[int]) -> Iterator[list[int]]:
    """Places in runs of about CHUNK positions, whole rows only."""
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
