"""What a spec may say about each student."""

from pydantic import Field

from distillc.spec.fields import Config


class PruneConfig(Config):
    layers: int = Field(ge=1, description="how many layers are kept: the first three, and the rest evenly up to the last")
    keep: tuple[int, ...] | None = Field(default=None, description="the layers that are kept, from 0, in place of the even spread")
