"""What a spec may say about each teacher."""

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import Field

from distillc.compiler.facts.locate import locate
from distillc.spec.fields import Config, FilePath


class _FileConfig(Config):
    path: FilePath

    def revisions(self, folder: Path) -> dict[str, str]:
        """Each file of the model to the digest of its bytes. Raises what `locate` raises for a path that leads nowhere."""
        found = locate(self.path, folder)
        files = sorted(path for path in found.iterdir() if path.is_file()) if found.is_dir() else [found]
        digests = {}
        for path in files:
            with path.open("rb") as stream:
                digests[path.name] = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
        return digests


class TransformersConfig(_FileConfig):
    path: FilePath = Field(description="a Hugging Face folder or a .gguf file, relative to the spec, or pkg://distribution/path")


class LlamaCppConfig(_FileConfig):
    path: FilePath = Field(pattern=r"\.(gguf|GGUF)$", description="a .gguf file, relative to the spec, or pkg://distribution/path")


class RecordedConfig(_FileConfig):
    path: FilePath = Field(
        pattern=r"\.(jsonl|parquet)$", description="a .jsonl or .parquet file of answers, relative to the spec, or pkg://distribution/path"
    )
    input: str = Field(default="input", description="the file's field with what was asked: the input of a row, letter by letter")
    answer: str = Field(default="answer", description="the file's field with what was answered")


class RandomConfig(Config):
    layers: int = Field(default=2, ge=1, le=64, description="number of layers")
    width: int = Field(default=64, ge=32, le=1024, multiple_of=32, description="width of the hidden states; heads are 16 wide")

    def revisions(self, folder: Path) -> dict[str, str]:
        """Random numbers come from torch, whose version is all that is read."""
        try:
            return {"torch": version("torch").partition("+")[0]}
        except PackageNotFoundError:
            return {}


class RulesConfig(Config):
    def revisions(self, folder: Path) -> dict[str, str]:
        """Rules write no files; the engine that runs them names its own version."""
        return {}
