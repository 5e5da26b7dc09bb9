"""What a spec may say to a judge."""

from typing import Literal

from pydantic import Field

from distillc.spec.fields import Config


class HarperConfig(Config):
    dialect: Literal["american", "british", "australian", "canadian", "indian"] = Field(
        default="american", description="whose spelling is right"
    )
