"""The facts of a model: what a GGUF header, or a Hugging Face folder's JSON and safetensors headers, say about it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distillc.compiler.facts import gguf, safetensors
from distillc.spec.errors import UsageError

MAX_JSON = 4 << 20  # config.json and its like; tokenizer.json is only digested
MAX_TOKENIZER = 128 << 20


class UnknownModel(UsageError):
    """A place that holds no model that the compiler can read facts from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """None where the files do not say. `tokenizer` is a digest that two models share when their vocabularies are the same bytes.

    `context`: the tokens of prompt and answer that it was trained to see.
    """

    format: str | None = None
    architecture: str | None = None
    width: int | None = None
    layers: int | None = None
    vocabulary: int | None = None
    tokenizer: str | None = None
    license: str | None = None
    parameters: int | None = None
    context: int | None = None


def read_facts(path: Path) -> ModelFacts:
    """The facts of a `.gguf` file or of a model folder.

    Raises:
        UsageError: one of its subclasses, where the files are damaged or are no model.
    """
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() == ".gguf":
        return _gguf(path)
    if path.suffix.lower() == ".safetensors":
        return ModelFacts(format="hf", parameters=safetensors.read_header(path).parameters)
    raise UnknownModel(f"{path.name} is neither a GGUF file nor a model folder", help="name a .gguf file or a folder with config.json")


def read_tokenizer(path: Path) -> ModelFacts:
    """What a tokenizer.json, a folder that has one or a `.gguf` file says of tokens: `tokenizer` and, where it is told, `vocabulary`.

    Raises:
        UsageError: one of its subclasses, where there is no tokenizer.
    """
    if path.suffix.lower() == ".gguf":
        facts = _gguf(path)
    elif path.is_dir():
        config = _json(path / "config.json") or {}
        inner = config.get("text_config") if isinstance(config.get("text_config"), dict) else config
        assert isinstance(inner, dict)
        facts = ModelFacts(tokenizer=_tokenizer(path), vocabulary=_number(inner.get("vocab_size")))
    else:
        facts = ModelFacts(tokenizer=_tokenizer(path.parent) if path.name == "tokenizer.json" else None)
    if facts.tokenizer is None:
        raise UnknownModel(f"{path.name} has no tokenizer", help="name a tokenizer.json, a folder that has one, or a .gguf file")
    return ModelFacts(tokenizer=facts.tokenizer, vocabulary=facts.vocabulary)


def _gguf(path: Path) -> ModelFacts:
    meta = gguf.read_header(path).metadata
    architecture = _text(meta.get("general.architecture"))
    tokens = meta.get("tokenizer.ggml.tokens")
    vocabulary = tokens.items if isinstance(tokens, gguf.LongArray) else len(tokens) if isinstance(tokens, tuple) else None
    parts = [meta.get(f"tokenizer.ggml.{part}") for part in ("model", "tokens", "merges", "token_type")]
    tokenizer = None
    if tokens is not None:
        tokenizer = "gguf:" + hashlib.sha256(repr([p.digest if isinstance(p, gguf.LongArray) else p for p in parts]).encode()).hexdigest()
    return ModelFacts(
        format="gguf",
        architecture=architecture,
        width=_number(meta.get(f"{architecture}.embedding_length")),
        layers=_number(meta.get(f"{architecture}.block_count")),
        vocabulary=vocabulary,
        tokenizer=tokenizer,
        license=_text(meta.get("general.license")),
        context=_number(meta.get(f"{architecture}.context_length")),
    )


def _folder(path: Path) -> ModelFacts:
    config = _json(path / "config.json")
    if config is None:
        raise UnknownModel(f"{path.name} has no config.json", help="name the folder that save_pretrained wrote")
    architectures = config.get("architectures")
    first = architectures[0] if isinstance(architectures, list) and architectures else config.get("model_type")
    inner = config.get("text_config") if isinstance(config.get("text_config"), dict) else config
    assert isinstance(inner, dict)
    facts = ModelFacts(
        format="hf",
        architecture=_text(first),
        width=_number(inner.get("hidden_size")),
        layers=_number(inner.get("num_hidden_layers")),
        vocabulary=_number(inner.get("vocab_size")),
        tokenizer=_tokenizer(path),
        context=_number(inner.get("max_position_embeddings")),
    )
    weights = sorted(path.glob("*.safetensors"))
    if weights:
        facts = replace(facts, parameters=sum(safetensors.read_header(file).parameters for file in weights))
    own = _json(path / "distill.json") or {}
    return replace(facts, license=_text(own.get("license")))


def _tokenizer(path: Path) -> str | None:
    file = path / "tokenizer.json"
    try:
        if not file.is_file() or file.stat().st_size > MAX_TOKENIZER:
            return None
        return "hf:" + hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise UnknownModel(f"{file.name} cannot be read: {error.strerror}", help="check its rights") from error


def _json(path: Path) -> Mapping[str, Any] | None:
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > MAX_JSON:
            raise UnknownModel(f"{path.name} is larger than {MAX_JSON} bytes", help="that is no model's config")
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UnknownModel(
            f"{path.name} is no readable JSON: {type(error).__name__}", help="download or convert the model again"
        ) from error
    if not isinstance(data, dict):
        raise UnknownModel(f"{path.name} is no JSON object", help="download or convert the model again")
    return data


def _number(value: Any) -> int | None:
    return value if type(value) is int and 0 < value < 1 << 40 else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= 256 else None
