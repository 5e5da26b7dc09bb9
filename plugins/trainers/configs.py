"""What a spec may say about each trainer, beside the keys that every train step has."""

from typing import Literal

from pydantic import Field

from distillc.spec.fields import Config, Price, SecretRef, runtime_only


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


class _FineTuningConfig(Config):
    base: str | None = Field(
        default=None,
        min_length=1,
        description="what the API calls the model where it is tuned (None: its `name`, by which it answers)",
        examples=["meta-llama/Llama-3.1-8B-Instruct"],
    )
    api_key: SecretRef | None = Field(default=None, description="the key, as ${env:NAME} or ${file:PATH} (None: the model's)")
    price: Price | None = Field(
        default=None, json_schema_extra=runtime_only(), description="what the base costs, `trained` among it (None: as the model says)"
    )
    timeout: float = Field(
        default=600.0, gt=0, le=86_400, json_schema_extra=runtime_only(), description="seconds that a request may take, to the last byte"
    )
    poll: float = Field(
        default=60.0, gt=0, le=3600, json_schema_extra=runtime_only(), description="most seconds between two looks at the job"
    )
    patience: float = Field(
        default=48.0,
        gt=0,
        json_schema_extra=runtime_only(),
        description="hours that a run waits for the job; after them it stops, the job goes on, and the next run waits for the same one",
    )
    retention: Literal["none", "any"] = Field(
        default="any",
        json_schema_extra=runtime_only(),
        description="`none` deletes the rows there once the job has ended; `privacy.retention` says so for all",
    )


class OpenAIFineTuningConfig(_FineTuningConfig):
    learning_rate_multiplier: float | None = Field(
        default=None, gt=0, description="factor of the learning rate that OpenAI picks (None: it picks this too)"
    )


class NebiusFineTuningConfig(_FineTuningConfig):
    packing: bool = Field(default=True, description="several rows in one sequence: cheaper, and fewer steps than `batch` lets expect")
    context_length: int = Field(default=8192, ge=8192, le=131_072, description="tokens of a sequence; longer rows are cut")
