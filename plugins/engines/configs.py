"""What may be said to an engine. A field that changes the batches changes the last bits of an answer, so it enters the key."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from distillc.spec.fields import Config, FilePath, Price, SecretRef, runtime_only

Threads = Annotated[int | None, Field(ge=1, description="threads (None: every core this process may use)")]


class TransformersConfig(Config):
    batch: int = Field(default=64, ge=1, description="prompts in one batch; batches are filled by length")
    precision: Literal["float32", "bfloat16", "auto"] = Field(
        default="float32",
        description="the number format of weights and products. bfloat16 is half the memory, and faster where the processor has it; "
        "`auto` looks",
    )


class SideBySide(Config):
    """What is said to an engine that decodes a batch on this machine's cores."""

    batch: int = Field(default=16, ge=1, le=256, description="prompts decoded side by side; batches are filled by length")
    threads: Threads = None


class LlamaCppConfig(SideBySide):
    pass


class ServerConfig(Config):
    """What is said to an engine that has a server of its own."""

    timeout: float = Field(
        default=600.0,
        gt=0,
        le=3600,
        json_schema_extra=runtime_only(),
        description="seconds that an answer may take, its wait for others too",
    )
    patience: float = Field(
        default=600.0, gt=0, le=36000, json_schema_extra=runtime_only(), description="seconds until the server has to answer at all"
    )


class LlamaCppServerConfig(ServerConfig):
    threads: Threads = None
    context: int = Field(default=2048, ge=8, description="tokens of prompt and answer that there is room for")


class VllmModelConfig(Config):
    """What vLLM is told of a model, in this process and as a server."""

    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="the number format of weights and products (`auto`: as vLLM chooses from the model's)"
    )
    context: int | None = Field(
        default=None, ge=8, description="tokens of prompt and answer that there is room for (None: as the model has)"
    )
    gpus: int = Field(default=1, ge=1, description="GPUs that the model is spread over")
    memory: float = Field(
        default=0.9, gt=0, le=1, json_schema_extra=runtime_only(), description="the share of a GPU's memory that it takes"
    )


class VllmConfig(VllmModelConfig):
    batch: int = Field(default=256, ge=1, description="prompts given to vLLM at once; it makes batches of them itself")


class VllmServerConfig(VllmModelConfig, ServerConfig):
    concurrency: int = Field(default=128, ge=1, le=1024, json_schema_extra=runtime_only(), description="prompts that are asked at a time")


class OnnxGenaiConfig(SideBySide):
    pass


class RecordedConfig(Config):
    batch: ClassVar[int] = 1000  # a whole shard at once, so that an error counts all its rows that have no answer


class HttpConfig(Config):
    """None of it changes an answer. What the model's own entry says of its key and its price comes in here with the plan."""

    batch: ClassVar[int] = 16  # answers after which the ledger hears of them
    concurrency: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        json_schema_extra=runtime_only(),
        description="calls at a time (None: as many as make answers come faster)",
    )
    timeout: float = Field(
        default=120.0, gt=0, le=3600, json_schema_extra=runtime_only(), description="seconds that a call may take, to the last byte"
    )
    mode: Literal["sync", "batch"] | None = Field(
        default=None,
        json_schema_extra=runtime_only(),
        description="`batch` sends files of requests and waits for files of answers (None: as the model says)",
    )
    poll: float = Field(
        default=60.0, gt=0, le=3600, json_schema_extra=runtime_only(), description="most seconds between two looks at a batch"
    )
    patience: float = Field(
        default=48.0, gt=0, le=1000, json_schema_extra=runtime_only(), description="hours that a run waits for a batch; another waits on"
    )
    retries: int = Field(default=5, ge=0, le=100, json_schema_extra=runtime_only(), description="tries after the first, where one may help")
    api_key: SecretRef | None = Field(default=None, description="the key, as ${env:NAME} or ${file:PATH} (None: the model's)")
    price: Price | None = Field(default=None, json_schema_extra=runtime_only(), description="what the model costs (None: as it says)")
    tokenizer: FilePath | None = Field(
        default=None, description="the tokens that log-probabilities must be of: `tokenizer` of a model's entry (None: as it says)"
    )
    retention: Literal["none", "any"] = Field(
        default="any",
        json_schema_extra=runtime_only(),
        description="`none` tells the API to store nothing; `privacy.retention` says so for all",
    )


class IdentityConfig(Config):
    pass


class HarperConfig(Config):
    rounds: int = Field(default=6, ge=1, description="how often a text is looked at again after a correction")
