"""What a spec may say to these plugins. Constraints are those that JSON Schema can say; distillc's linter needs nothing else."""

from pydantic import Field

from distillc.spec.fields import Config


class TotalVariationConfig(Config):
    temperature: float = Field(1.0, description="signals are read at this temperature; both distributions are softened by it", gt=0)


class WordErrorRateConfig(Config):
    case: bool = Field(True, description="whether upper and lower case differ")


class ZipConfig(Config):
    path: str = Field(
        "dist", description="the folder that gets the file, relative to the spec", pattern=r"^[^/\\\x00-\x1f~][^\\\x00-\x1f]*$"
    )
    compress: bool = Field(False, description="deflate; quantized weights hardly get smaller")
