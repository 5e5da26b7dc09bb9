"""A model that lies on this machine: a Hugging Face folder as it is, or a GGUF converted once and kept."""

import hashlib
import json
import shutil
from pathlib import Path

from safetensors import safe_open

from distillc.compiler.facts.locate import locate
from distillc.plugins.api.artifacts import ModelInfo
from distillc.plugins.api.models import BuildContext
from distillc.plugins.teachers.configs import TransformersConfig
from distillc.runtimes.inference.loading import check_folder
from distillc.spec.errors import StageFailed

_CONVERTER = "1"  # moves when gguf_folder writes something else
_DONE = "distillc-complete"
# What a model folder is made of. Code, pickles and whatever else lies beside them stay where they are.
_FILES = ("*.safetensors", "*.json", "*.jinja", "merges.txt", "*.model", "LICENSE*", "NOTICE*")


class Transformers:
    def __init__(self, config: TransformersConfig) -> None:
        self.config = config

    def build(self, out: Path, context: BuildContext) -> ModelInfo:
        """Copies the folder's weights, configs and tokenizer. Raises StageFailed for a folder without one of them."""
        source = locate(self.config.path, context.folder)
        if not source.exists():
            raise StageFailed(
                f"the model {self.config.path} does not exist", where=context.name, help="check `path:`; it is relative to the spec"
            )
        folder = source if source.is_dir() else self._converted(source, context)
        check_folder(folder)
        _no_code(folder, self.config.path)
        for pattern in _FILES:
            for path in sorted(folder.glob(pattern)):
                if path.name != "distill.json":
                    shutil.copyfile(path, out / path.name)
        family = context.family or _model_type(folder)
        return ModelInfo(
            format="hf",
            name=context.name,
            family=family,
            license=context.license,
            lineage=(family,) if family else (),
            parameters=count_parameters(out),
            precision="float32",
        )

    def _converted(self, source: Path, context: BuildContext) -> Path:
        from distillc.plugins.teachers.gguf_folder import convert

        with source.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
        digest.update(_CONVERTER.encode())
        folder = context.cache / "gguf" / digest.hexdigest()
        if (folder / _DONE).is_file():
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        convert(source, folder)
        (folder / _DONE).write_text("", encoding="utf-8")
        return folder


def _model_type(folder: Path) -> str | None:
    found = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    return found if isinstance(found, str) else None


def _no_code(folder: Path, path: str) -> None:
    if "auto_map" in json.loads((folder / "config.json").read_text(encoding="utf-8")):
        raise StageFailed(
            f"the model {path} wants its own code run (auto_map in config.json), which is never done",
            help="use a model whose architecture transformers has",
        )


def count_parameters(folder: Path) -> int:
    """Numbers in the safetensors files of a folder; tied weights are stored, and counted, once."""
    total = 0
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118 - a safetensors file is no dict
                size = 1
                for side in file.get_slice(name).get_shape():
                    size *= side
                total += size
    return total
