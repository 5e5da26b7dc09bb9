"""Hugging Face folder → a folder for onnxruntime-genai, with its own model builder.

The builder is a script that finds its parts on `sys.path` and prints a page; both are undone after it. In this process and
not in a child: the stage has torch and transformers loaded, a child would load them again (3 s of 6 s for a small model).
"""

import contextlib
import io
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import onnx

from distillc.plugins.api.artifacts import Model, ModelInfo
from distillc.plugins.quantizers.configs import OnnxConfig
from distillc.spec.errors import StageFailed

KEPT = (
    "genai_config.json", "model.onnx", "model.onnx.data", "tokenizer.json", "tokenizer_config.json", "tokenizer.model",
    "special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "vocab.json", "merges.txt",
)  # fmt: skip


class OnnxQuantizer:
    def __init__(self, config: OnnxConfig) -> None:
        self.config = config

    def quantize(self, model: Model, out: Path, *, name: str) -> ModelInfo:
        """Writes model, tokenizer and `genai_config.json`. Raises StageFailed with the builder's last words when it gives up."""
        with tempfile.TemporaryDirectory(dir=out) as scratch:
            built = Path(scratch) / "model"
            self.build(model.folder, built, Path(scratch) / "cache", name)
            for file in KEPT:
                if (built / file).is_file():
                    (built / file).replace(out / file)
        canonical(out / "genai_config.json")
        canonical(out / "tokenizer_config.json")
        without_commit(out / "model.onnx")
        return replace(model.info, format="onnx-genai", name=name, base=model.info.name, precision=self.config.precision)

    def build(self, source: Path, built: Path, cache: Path, name: str) -> None:
        options = {"hf_token": "false"}
        if self.config.precision == "int4":
            options |= {
                "block_size": str(self.config.block_size),
                "accuracy_level": str(self.config.accuracy_level),
                "algo_config": self.config.algorithm,
                "is_symmetric": str(self.config.symmetric).lower(),
            }
        try:
            with alone() as said:
                builder = import_module("onnxruntime_genai.models.builder")
                told = [f"{key}={value}" for key, value in options.items()]
                parsed = builder.parse_extra_options(None, str(source), str(built), self.config.precision, "cpu", str(cache), told)
                builder.create_model(None, str(source), str(built), self.config.precision, "cpu", str(cache), **parsed)
        except Exception as error:  # the builder raises whatever its parts raise
            raise StageFailed(
                f"onnxruntime-genai's builder gave up: {type(error).__name__}: {error}",
                where=name,
                help="it knows Llama, Qwen, Phi, Gemma, SmolLM and their like; export other architectures with `uses: gguf`",
            ) from error
        if not (built / "model.onnx").is_file():
            raise StageFailed(f"onnxruntime-genai's builder wrote no model: {said.getvalue()[-200:].strip()}", where=name)


@contextlib.contextmanager
def alone() -> Iterator[io.StringIO]:
    """Offline and quiet while the block runs; `sys.path` and the environment are as before after it."""
    path, environment, said = list(sys.path), dict(os.environ), io.StringIO()
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield said
    finally:
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(environment)


def canonical(path: Path) -> None:
    """Sorted keys, one form, and nothing of how this process happened to read the tokenizer."""
    found = json.loads(path.read_text("utf-8"))
    kept = {key: value for key, value in found.items() if key not in {"is_local", "local_files_only", "name_or_path"}}
    path.write_text(json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")


def without_commit(path: Path) -> None:
    """The builder writes the commit of whatever repository lies around it into the graph's producer version."""
    graph = onnx.load(str(path), load_external_data=False)
    graph.producer_version = version("onnxruntime-genai")
    path.write_bytes(graph.SerializeToString(deterministic=True))
