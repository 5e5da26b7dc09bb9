"""What may be said to an engine. A field that changes the batches changes the last bits of an answer, so it enters the key."""

from typing import ClassVar, Literal

from pydantic import Field

from distillc.spec.fields import Config


class TransformersConfig(Config):
    batch: int = Field(default=64, ge=1, description="prompts in one batch; batches are filled by length")
    precision: Literal["float32", "bfloat16", "auto"] = Field(
        default="float32",
        description="the number format of weights and products. bfloat16 is half the memory, and faster where the processor has it; "
        "`auto` looks",
    )


class LlamaCppConfig(Config):
    batch: int = Field(default=16, ge=1, le=256, description="prompts decoded side by side; batches are filled by length")
    threads: int | None = Field(default=None, ge=1, description="threads (None: every core this process may use)")


class OnnxGenaiConfig(Config):
    batch: int = Field(default=16, ge=1, le=256, description="prompts decoded side by side; batches are filled by length")
    threads: int | None = Field(default=None, ge=1, description="threads (None: every core this process may use)")


class RecordedConfig(Config):
    batch: ClassVar[int] = 1000  # a whole shard at once, so that an error counts all its rows that have no answer


class IdentityConfig(Config):
    pass


class HarperConfig(Config):
    rounds: int = Field(default=6, ge=1, description="how often a text is looked at again after a correction")
