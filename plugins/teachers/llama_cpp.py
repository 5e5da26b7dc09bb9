"""A GGUF file as it is: llama.cpp runs it, and nothing converts it. It answers and says what it knows, but cannot be trained or cut."""

import shutil
from pathlib import Path

import gguf

from distillc.compiler.facts.gguf import read_header
from distillc.compiler.facts.locate import locate
from distillc.plugins.api.artifacts import ModelInfo
from distillc.plugins.api.models import BuildContext
from distillc.plugins.teachers.configs import LlamaCppConfig
from distillc.runtimes.given import given


class LlamaCpp:
    def __init__(self, config: LlamaCppConfig) -> None:
        self.config = config

    def build(self, out: Path, context: BuildContext) -> ModelInfo:
        """Copies the file. Raises StageFailed where there is none, or one that our reader refuses."""
        with given(context.name):
            source = locate(self.config.path, context.folder)
            said = read_header(source).metadata
        shutil.copyfile(source, out / "model.gguf")
        family = context.family or said.get("general.architecture")
        return ModelInfo(
            format="gguf",
            name=context.name,
            family=family,
            license=context.license or said.get("general.license"),
            lineage=(family,) if family else (),
            precision=precision(said.get("general.file_type")),
        )


def precision(file_type: object) -> str | None:
    """llama.cpp's name of a file's type, as the quantizer `gguf` writes it: q4_1, f16. None for a number that it has no name for."""
    try:
        name = gguf.LlamaFileType(file_type).name
    except ValueError:
        return None
    return str(name).removeprefix("ALL_").removeprefix("MOSTLY_").lower()
