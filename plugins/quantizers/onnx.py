"""Hugging Face folder → a folder for onnxruntime-genai, with its own model builder.

The builder is a script that puts its folder on `sys.path` and prints a page, so it runs as a child process, offline.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

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
        return ModelInfo(
            format="onnx-genai",
            name=name,
            family=model.info.family,
            license=model.info.license,
            base=model.info.name,
            lineage=model.info.lineage,
            parameters=model.info.parameters,
            precision=self.config.precision,
        )

    def build(self, source: Path, built: Path, cache: Path, name: str) -> None:
        options = {"hf_token": "false"}
        if self.config.precision == "int4":
            options |= {
                "block_size": str(self.config.block_size),
                "accuracy_level": str(self.config.accuracy_level),
                "algo_config": self.config.algorithm,
                "is_symmetric": str(self.config.symmetric).lower(),
            }
        command = [
            sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", str(source), "-o", str(built), "-p", self.config.precision,
            "-e", "cpu", "-c", str(cache), "--extra_options", *(f"{key}={value}" for key, value in options.items()),
        ]  # fmt: skip
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment, check=False)
        if done.returncode or not (built / "model.onnx").is_file():
            said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            raise StageFailed(
                f"onnxruntime-genai's builder gave up: {said[-1].strip() if said else f'exit code {done.returncode}'}",
                where=name,
                help="it knows Llama, Qwen, Phi, Gemma, SmolLM and their like; export other architectures with `uses: gguf`",
            )


def canonical(path: Path) -> None:
    """Sorted keys, one form."""
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")), indent=1, sort_keys=True) + "\n", "utf-8")
