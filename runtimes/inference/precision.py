"""The number format in which matrices are multiplied."""

from typing import Literal

import torch

Precision = Literal["float32", "bfloat16"]
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def resolve(asked: Literal["auto", "float32", "bfloat16"]) -> Precision:
    """`auto` is bfloat16 where the processor multiplies it faster than float32 (AVX512-BF16, AMX), else float32."""
    return asked if asked != "auto" else "bfloat16" if fast_bfloat16() else "float32"


def fast_bfloat16() -> bool:
    """Elsewhere bfloat16 is computed by way of float32, which is slower than float32 itself."""
    # The names are private in torch 2.13; where they are gone, float32 is never wrong.
    return any(getattr(torch.cpu, name, bool)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
