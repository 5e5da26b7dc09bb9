"""What a spec may say about each teacher."""

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from pydantic import Field

from distillc.compiler.facts.locate import locate
from distillc.spec.fields import Config, FilePath, Price, SecretRef, runtime_only

_TOKENIZER = (
    "which tokens the model behind it has, as a soft loss must know: a tokenizer.json, a folder that has one, or a .gguf file, relative to "
    "the spec, or pkg://distribution/path"
)


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
    path: FilePath = Field(
        pattern=r"\.(gguf|GGUF)$",
        description="a .gguf file, relative to the spec, or pkg://distribution/path",
        examples=["models/teacher-q8_0.gguf"],
    )


class RecordedConfig(_FileConfig):
    path: FilePath = Field(
        pattern=r"\.(jsonl|parquet)$",
        description="a .jsonl or .parquet file of answers, relative to the spec, or pkg://distribution/path",
        examples=["answers.jsonl"],
    )
    input: str = Field(default="input", description="the file's field with what was asked: the input of a row, letter by letter")
    answer: str = Field(default="answer", description="the file's field with what was answered")
    tokenizer: FilePath | None = Field(default=None, description=_TOKENIZER, examples=["models/big"])


class _ApiConfig(Config):
    name: str = Field(min_length=1, description="what the API calls the model", examples=["Qwen/Qwen3-235B-A22B-Instruct-2507"])
    system: str | None = Field(default=None, min_length=1, description="instructions that it gets before each prompt")
    price: Price | None = Field(
        default=None, json_schema_extra=runtime_only(), description="what it costs; without it the built-in price list is asked"
    )
    mode: Literal["sync", "batch"] = Field(
        default="sync",
        json_schema_extra=runtime_only(),
        description="`batch`: many rows in a file, answered within a day at half the price; the answers are the same",
    )
    tokenizer: FilePath | None = Field(default=None, description=_TOKENIZER, examples=["models/big"])

    def revisions(self, folder: Path) -> dict[str, str]:
        """What an API answers with is its own affair: nothing here pins it."""
        return {}


class OpenAIConfig(_ApiConfig):
    base_url: str = Field(
        default="https://api.openai.com/v1",
        pattern=r"^https?://[^\s]+$",
        description="the address that /chat/completions follows: of any OpenAI-compatible server",
        examples=["http://127.0.0.1:8080/v1"],
    )
    api_key: SecretRef | None = Field(
        default=None, description="the key, as ${env:NAME} or ${file:PATH}; servers of your own may need none"
    )
    region: str | None = Field(
        default=None,
        min_length=1,
        json_schema_extra=runtime_only(),
        description="where it runs, for `privacy.region`; addresses of services that are known need not say it",
        examples=["eu"],
    )
    dialect: Literal["openai", "nebius", "generic"] = Field(
        default="generic",
        description="`openai` calls the limit of an answer `max_completion_tokens`, which OpenAI's models that think ask for; the others "
        "`max_tokens`, which all others know",
    )


class NebiusConfig(_ApiConfig):
    api_key: SecretRef = Field(default="${env:NEBIUS_API_KEY}", description="the key, as ${env:NAME} or ${file:PATH}")
    region: Literal["eu-north1", "eu-west1", "us-central1"] = Field(
        default="eu-north1", description="where it runs: each region has an address of its own"
    )
    base_url: str | None = Field(default=None, pattern=r"^https?://[^\s]+$", description="another address than the region's")


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
