"""What a spec may say to a quantizer."""

from typing import Literal

from pydantic import Field

from distillc.spec.fields import Config

GgufType = Literal[
    "f32", "f16", "bf16", "q8_0", "q6_k", "q5_k_m", "q5_k_s", "q5_1", "q5_0", "q4_k_m", "q4_k_s", "q4_1", "q4_0", "q3_k_m", "q2_k"
]  # fmt: skip


class GgufConfig(Config):
    type: GgufType = Field(default="q8_0", description="llama.cpp's type of most weights; k-quants want a width that 256 divides")


class OnnxConfig(Config):
    precision: Literal["int4", "fp32"] = Field(default="int4", description="int4 weights, or fp32 as they are")
    block_size: Literal[16, 32, 64, 128, 256] = Field(default=32, description="int4: so many weights share a scale")
    accuracy_level: Literal[1, 2, 3, 4] = Field(default=4, description="int4: activations in 1 fp32, 2 fp16, 3 bf16, 4 int8 (the fastest)")
    algorithm: Literal["default", "rtn", "k_quant"] = Field(default="default", description="int4: how scales are found")
    symmetric: bool = Field(default=True, description="int4: no zero points")
