"""Field types that a config class may use beside plain ones: references, secrets, files.

They are plain strings to pydantic; what they mean travels in the JSON Schema as `x-distillc`, so that the linter
(which has no pydantic) and the compiler (which draws an edge for each reference) read the same truth.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

RowsRef = Annotated[str, Field(json_schema_extra={"x-distillc": "rows"}, description="name of a rows step, or NAME.train|validation|test")]
ModelRef = Annotated[str, Field(json_schema_extra={"x-distillc": "model"}, description="name of a model")]
GateRef = Annotated[str, Field(json_schema_extra={"x-distillc": "gate"}, description="name of a gate")]
SecretRef = Annotated[
    str,
    Field(
        json_schema_extra={"x-distillc": "secret"},
        description="${env:NAME}, ${file:PATH}, ${cmd:PROGRAM ARGUMENTS} or ${keyring:SERVICE/NAME}",
        pattern=r"^\$\{(env|file|cmd|keyring):.+\}$",
    ),
]
FilePath = Annotated[
    str, Field(json_schema_extra={"x-distillc": "file"}, description="a path relative to the spec, or pkg://distribution/path")
]


class Config(BaseModel):
    """What every plugin's config class inherits: unknown keys are refused, values do not change.

    Fields carry only constraints that JSON Schema can say (`ge`, `le`, `pattern`, enums, defaults, descriptions);
    anything more is a rule. A field that changes how fast, not what, is marked `runtime_only` and enters no key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(Config):
    """What an API asks for. A number out of a price list has the day on which it stood there."""

    input: float = Field(ge=0, description="US dollars for a million tokens that it reads")
    output: float = Field(ge=0, description="US dollars for a million tokens that it writes")
    trained: float | None = Field(default=None, ge=0, description="US dollars for a million tokens that it is trained on")
    date: str | None = Field(
        default=None, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="when that was looked up", examples=["2026-11-01"]
    )


def runtime_only() -> JsonDict:
    """For `Field(json_schema_extra=runtime_only())`: a knob that cannot change the result, left out of content keys."""
    return {"x-distillc": "runtime"}
