"""A training step in mixed precision: weights, moments, norms and losses stay in float32.

Micikevicius et al.: Mixed Precision Training, 2018, arXiv 1710.03740, section 3.1 (a float32 master copy); bfloat16 has float32's range,
so no loss is scaled (Kalamkar et al.: A Study of BFLOAT16 for Deep Learning Training, 2019, arXiv 1905.12322).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from distillc.runtimes.inference.precision import Precision


def multiplying_in(precision: Precision) -> AbstractContextManager[object]:
    """Inside, matrix products are taken in `precision`; a weight that learns is converted once, however many products it is in."""
    return torch.autocast("cpu", torch.bfloat16) if precision == "bfloat16" else nullcontext()


def head_of(model: Any, precision: Precision) -> Callable[[Tensor], Tensor]:
    """The model's head, for all the chunks of a step. One that does not learn is converted here: `multiplying_in` would do it for each."""
    head = model.get_output_embeddings()
    if precision == "float32" or head.weight.requires_grad or type(head) is not torch.nn.Linear:
        return head  # type: ignore[no-any-return]
    weight = head.weight.to(torch.bfloat16)
    return lambda states: torch.nn.functional.linear(states, weight, head.bias)


def as_recorded() -> AbstractContextManager[object]:
    """For a backward pass inside `multiplying_in`: it takes the formats that the forward pass recorded, and converts nothing anew."""
    return torch.autocast("cpu", enabled=False)
