"""What a spec may say about each trainer, beside the keys that every train step has."""

from typing import Literal

from pydantic import Field

from distillc.spec.fields import Config, runtime_only


class LocalConfig(Config):
    freeze: tuple[Literal["embeddings"], ...] = Field(
        default=(),
        description="parts that do not move; `embeddings` is the table and, where it is tied, the head: fewer bytes for the optimizer",
    )
    freeze_layers: int = Field(
        default=0, ge=0, description="so many layers from the bottom, and the embeddings, do not move: no gradient is computed for them"
    )
    precision: Literal["float32", "bfloat16", "auto"] = Field(
        default="float32",
        description="the number format of matrix products; weights stay in float32. bfloat16 is twice as fast where the processor has it "
        "and slower elsewhere; `auto` looks",
    )
    checkpoint_seconds: float = Field(
        default=120.0,
        ge=0,
        description="time between checkpoints; each is as long as three times the weights",
        json_schema_extra=runtime_only(),
    )
