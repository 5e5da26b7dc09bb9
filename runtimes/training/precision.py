"""The number format in which a training step multiplies matrices. Weights, moments, norms and losses stay in float32.

Micikevicius et al.: Mixed Precision Training, 2018, arXiv 1710.03740, section 3.1 (a float32 master copy); bfloat16 has float32's range,
so no loss is scaled (Kalamkar et al.: A Study of BFLOAT16 for Deep Learning Training, 2019, arXiv 1905.12322).
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

Precision = Literal["float32", "bfloat16"]


def resolve(asked: Literal["auto", "float32", "bfloat16"]) -> Precision:
    """`auto` is bfloat16 where the processor multiplies it faster than float32 (AVX512-BF16, AMX), else float32."""
    return asked if asked != "auto" else "bfloat16" if fast_bfloat16() else "float32"


def fast_bfloat16() -> bool:
    """Elsewhere bfloat16 is computed by way of float32, which is slower than float32 itself."""
    # The names are private in torch 2.13; where they are gone, float32 is never wrong.
    return any(getattr(torch.cpu, name, bool)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))


def multiplying_in(precision: Precision) -> AbstractContextManager[object]:
    """Inside, matrix products are taken in `precision`; a weight that learns is converted once, however many products it is in."""
    return torch.autocast("cpu", torch.bfloat16) if precision == "bfloat16" else nullcontext()


def as_recorded() -> AbstractContextManager[object]:
    """For a backward pass inside `multiplying_in`: it takes the formats that the forward pass recorded, and converts nothing anew."""
    return torch.autocast("cpu", enabled=False)
