"""Forward and backward through a model where only answers are scored, and the (tokens x vocabulary) logits never stand whole.

The body runs once over all tokens without padding. The head and the losses run over slices of the answer's positions, each with
its own backward pass; what reaches the last hidden states is gathered there and sent through the body at the end.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from distillc.plugins.api.losses import TeacherLogProbs
from distillc.plugins.api.trainers import LossTerm
from distillc.runtimes.inference.packed import hidden_states
from distillc.runtimes.inference.precision import Precision
from distillc.runtimes.inference.scoring import CHUNK, TOKENS, Batch, by_tokens, fed
from distillc.runtimes.training.examples import Example
from distillc.runtimes.training.mixed import as_recorded, head_of, multiplying_in


def backward(
    model: Any,
    batch: Batch,
    terms: Sequence[LossTerm],
    teachers: Mapping[str, TeacherLogProbs],
    precision: Precision = "float32",
) -> dict[str, float]:
    """Adds the gradient of the weighted mean over the batch's answer tokens to the parameters; the mean of each term, in nats."""
    head = head_of(model, precision)
    tokens = len(batch.targets)
    sums = dict.fromkeys((term.name for term in terms), 0.0)
    with multiplying_in(precision):
        states = hidden_states(model, batch.ids, batch.packed)[batch.scored]
        leaf = states.detach().requires_grad_()
        for start in range(0, tokens, CHUNK):
            part = slice(start, min(start + CHUNK, tokens))
            logits = head(leaf[part]).float()
            total: Tensor | None = None
            for term in terms:
                nats = term.loss.per_token(logits, batch.targets[part], _part(teachers.get(term.name), part)).sum()
                sums[term.name] += float(nats.detach())
                total = nats * (term.weight / tokens) if total is None else total + nats * (term.weight / tokens)
            assert total is not None, "a trainer has at least one loss"
            with as_recorded():
                total.backward()  # type: ignore[no-untyped-call]
    states.backward(leaf.grad)  # type: ignore[no-untyped-call]
    return {name: value / tokens for name, value in sums.items()}


def _part(teacher: TeacherLogProbs | None, part: slice) -> TeacherLogProbs | None:
    return None if teacher is None else TeacherLogProbs(teacher.ids[part], teacher.log_probs[part], teacher.tail[part])


@torch.inference_mode()
def negative_log_likelihood(model: Any, examples: Sequence[Example]) -> float:
    """Mean over all answer tokens, in nats."""
    head = model.get_output_embeddings()
    total, count = 0.0, 0
    for chunk in by_tokens([fed(e.pair) for e in examples], TOKENS):
        batch = Batch.of([examples[index].pair for index in chunk])
        states = hidden_states(model, batch.ids, batch.packed)[batch.scored]
        for start in range(0, len(states), CHUNK):
            part = slice(start, start + CHUNK)
            total += float(torch.nn.functional.cross_entropy(head(states[part]).float(), batch.targets[part], reduction="sum"))
        count += len(states)
    return total / max(count, 1)
