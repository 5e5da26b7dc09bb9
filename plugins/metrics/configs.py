"""What a spec may say to a metric."""

from pydantic import Field

from distillc.spec.fields import Config


class ExactMatchConfig(Config):
    ignore_case: bool = Field(default=False, description="upper and lower case count as equal")


class ErrantConfig(Config):
    pass


class GleuConfig(Config):
    order: int = Field(default=4, ge=1, le=6, description="the longest n-gram that counts")
