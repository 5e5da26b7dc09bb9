"""A model that lies on this machine: a Hugging Face folder as it is, or a GGUF converted once and kept."""

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections import Counter
from importlib.metadata import version
from math import prod
from pathlib import Path

from distillc.compiler.facts.locate import locate
from distillc.compiler.facts.safetensors import read_header
from distillc.plugins.api.artifacts import ModelInfo
from distillc.plugins.api.models import BuildContext
from distillc.plugins.teachers.configs import TransformersConfig
from distillc.runtimes.given import given
from distillc.runtimes.inference.loading import check_folder

_CONVERTER = "2"  # moves when gguf_folder writes something else
_FORMATS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
# What a model folder is made of. Code, pickles and whatever else lies beside them stay where they are.
_FILES = ("*.safetensors", "*.json", "*.jinja", "merges.txt", "*.model", "LICENSE*", "NOTICE*")


class Transformers:
    def __init__(self, config: TransformersConfig) -> None:
        self.config = config

    def build(self, out: Path, context: BuildContext) -> ModelInfo:
        """Copies the folder's weights, configs and tokenizer. Raises StageFailed for a folder without one of them.

        `precision` is the format that most of its numbers are stored in.
        """
        with given(context.name):
            source = locate(self.config.path, context.folder)
        folder = source if source.is_dir() else self._converted(source, context)
        check_folder(folder)
        for pattern in _FILES:
            for path in sorted(folder.glob(pattern)):
                if path.name != "distill.json":
                    shutil.copyfile(path, out / path.name)
        numbers = stored(out)
        family = context.family or _model_type(folder)
        return ModelInfo(
            format="hf",
            name=context.name,
            family=family,
            license=context.license,
            lineage=(family,) if family else (),
            parameters=numbers.total(),
            precision=numbers.most_common(1)[0][0],
        )

    def _converted(self, source: Path, context: BuildContext) -> Path:
        from distillc.plugins.teachers.gguf_folder import convert

        with source.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
        # transformers writes its version into what it saves, so another one would give other bytes.
        digest.update(f"{_CONVERTER} transformers {version('transformers')} gguf {version('gguf')}".encode())
        folder = context.cache / "gguf" / digest.hexdigest()
        if folder.is_dir():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Made beside it and moved whole: runs in other stores share this cache, and one may convert the same file just now.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="part-", ignore_cleanup_errors=True) as scratch:
            made = Path(scratch) / "model"
            made.mkdir()
            convert(source, made)
            with contextlib.suppress(OSError):  # the other was faster
                made.rename(folder)
        return folder


def _model_type(folder: Path) -> str | None:
    found = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    return found if isinstance(found, str) else None


def stored(folder: Path) -> Counter[str]:
    """How many numbers of each format the safetensors files of a folder have; tied weights are stored, and counted, once.

    Raises StageFailed for a damaged file.
    """
    found: Counter[str] = Counter()
    with given(folder.name):
        for path in sorted(folder.glob("*.safetensors")):
            header = read_header(path)
            for name, kind in header.types.items():
                found[_FORMATS.get(kind, kind.lower())] += prod(header.shapes[name])
    return found
