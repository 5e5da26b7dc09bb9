"""Hugging Face folder → GGUF: the upstream converter, then llama.cpp's own quantizer.

The converter guesses a version, a fine-tune and a base name from the name of the folder and from a model card, so it gets a
folder of links that is always called `model` and has no card: equal weights give equal bytes wherever they lie.
"""

import ctypes
import json
import logging
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import conversion
import gguf
import llama_cpp
import torch
from conversion.base import ModelBase, ModelType

from distillc.plugins.api.artifacts import Model, ModelInfo
from distillc.plugins.quantizers.configs import GgufConfig
from distillc.runtimes.inference.llama_log import last_words, listen
from distillc.runtimes.inference.loading import check_folder
from distillc.spec.errors import StageFailed

log = logging.getLogger(__name__)

CONVERTED = {"f32": gguf.LlamaFileType.ALL_F32, "f16": gguf.LlamaFileType.MOSTLY_F16, "bf16": gguf.LlamaFileType.MOSTLY_BF16}
FILE = "model.gguf"
THREADS = 2  # quantizing splits rows, so the bytes do not depend on it


class GgufQuantizer:
    def __init__(self, config: GgufConfig) -> None:
        self.config = config

    def quantize(self, model: Model, out: Path, *, name: str) -> ModelInfo:
        """Writes `model.gguf`. Raises StageFailed for an architecture or a tokenizer that llama.cpp does not know."""
        kind = self.config.type
        target = out / FILE
        if kind in CONVERTED:
            convert(model, target, CONVERTED[kind], name)
        else:
            with tempfile.TemporaryDirectory(dir=out) as scratch:
                full = Path(scratch) / FILE
                convert(model, full, gguf.LlamaFileType.MOSTLY_F16, name)
                squeeze(full, target, kind)
        return replace(model.info, format="gguf", name=name, base=model.info.name, precision=kind)


def convert(model: Model, target: Path, file_type: gguf.LlamaFileType, name: str) -> None:
    """Writes the model's weights and tokenizer as one GGUF file of a full-width type."""
    check_folder(model.folder)
    logging.getLogger("gguf").setLevel(logging.ERROR)
    logging.getLogger("hf-to-gguf").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as scratch, torch.inference_mode():
        folder = linked(model.folder, Path(scratch) / "model")
        architecture = conversion.get_model_architecture(ModelBase.load_hparams(folder, False), ModelType.TEXT)
        try:
            known = conversion.get_model_class(architecture)
        except NotImplementedError:
            raise StageFailed(
                f"llama.cpp's converter does not know the architecture {architecture}",
                where=name,
                help="export this model with `uses: onnx`, or choose a student of another architecture",
            ) from None
        converter = type(
            "Converter", (known,), {"model_arch": known.model_arch, "get_vocab_base_pre": pre_tokenizer_of(known, folder, name)}
        )(folder, file_type, target, model_name=name)
        converter.prepare_tensors()
        converter.prepare_metadata(vocab_only=False)
        writer = converter.gguf_writer
        if model.info.license:
            writer.add_license(model.info.license)
        writer.write_header_to_file(path=target)
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file(progress=False)
        writer.close()


def linked(source: Path, folder: Path) -> Path:
    """A folder of links to the model's files, without a model card. Copies where links are not allowed, as on most Windows machines."""
    folder.mkdir()
    for path in sorted(source.iterdir()):
        if path.suffix in {".json", ".safetensors", ".model", ".txt", ".jinja"}:
            try:
                (folder / path.name).symlink_to(path.resolve())
            except OSError:
                shutil.copyfile(path, folder / path.name)
    return folder


def pre_tokenizer_of(known: Any, folder: Path, name: str) -> Any:
    """The converter's look-up by hash, and after it what the tokenizer's own description says."""

    def get_vocab_base_pre(self: Any, tokenizer: Any) -> str:
        converter_log = logging.getLogger("hf-to-gguf")
        converter_log.disabled = True  # 14 lines of stars that ask to edit the converter
        try:
            return str(known.get_vocab_base_pre(self, tokenizer))
        except NotImplementedError:
            described = described_pre_tokenizer(folder / "tokenizer.json")
            if described:
                return described
            raise StageFailed(
                "llama.cpp does not know this tokenizer's way to cut text into words, so its token ids would differ",
                where=name,
                help="export with `uses: onnx`, which carries the Hugging Face tokenizer itself, or use a student with a known tokenizer",
            ) from None
        finally:
            converter_log.disabled = False

    return get_vocab_base_pre


def described_pre_tokenizer(path: Path) -> str | None:
    """llama.cpp's name of the pre-tokenizer that `tokenizer.json` describes: GPT-2's ByteLevel, or it with single digits before."""
    try:
        described = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if described.get("normalizer") is not None or (described.get("model") or {}).get("type") != "BPE":
        return None
    before = described.get("pre_tokenizer") or {}
    parts = before.get("pretokenizers") if before.get("type") == "Sequence" else [before]
    if not parts:
        return None
    last = parts[-1]
    if last.get("type") != "ByteLevel" or last.get("add_prefix_space") or not last.get("use_regex", True):
        return None
    if len(parts) == 1:
        return "gpt-2"
    return "smollm" if len(parts) == 2 and parts[0] == {"type": "Digits", "individual_digits": True} else None


def squeeze(source: Path, target: Path, kind: str) -> None:
    """llama.cpp's quantizer. Tensors whose width the type cannot take fall back to a wider one, which is said once."""
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind.upper()}")
    parameters.nthread = THREADS
    reference: Any = ctypes.byref(parameters)
    lines = listen()
    if llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), reference):
        raise StageFailed(f"llama.cpp could not quantize to {kind}: {last_words()}", help="try type q8_0")
    fallbacks = sum("falling back" in line for line in lines)
    if fallbacks:
        log.warning("%d tensors have a width that %s cannot take and got a wider type", fallbacks, kind)
