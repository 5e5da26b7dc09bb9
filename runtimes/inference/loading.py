"""A Hugging Face folder in memory: weights with packed attention, the tokenizer as `tokenizers` reads it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForCausalLM

from distillc.runtimes.inference import packed, process
from distillc.runtimes.inference.precision import DTYPES, Precision
from distillc.spec.errors import StageFailed


@dataclass(frozen=True)
class Text:
    """Text to ids and back. Prompts get what the tokenizer puts around a text (a BOS token, mostly nothing); answers get nothing."""

    tokenizer: Tokenizer
    ends: tuple[int, ...]
    """Ids that end an answer; the first is the one that training writes."""

    def prompt(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text).ids
        return ids

    def answer(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return [*ids, self.ends[0]]

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise StageFailed(f"{path.name} is not JSON: {error}", where=str(path.parent), help="copy the model's folder again") from error
    return found


def check_folder(folder: Path) -> None:
    """Raises StageFailed, naming what is missing, unless `folder` holds a model, its weights and a tokenizer, and no wish to run code."""
    if not folder.is_dir():
        raise StageFailed(f"the model folder {folder} does not exist", help="`path:` is relative to the spec; check its spelling")
    if not (folder / "config.json").is_file():
        raise StageFailed(f"{folder} is not a Hugging Face model: config.json is missing", help="give the folder that has config.json")
    if not any(folder.glob("*.safetensors")):
        raise StageFailed(
            f"{folder} has no weights in safetensors", help="save the model again with save_pretrained; pickled weights are never read"
        )
    if not (folder / "tokenizer.json").is_file():
        raise StageFailed(
            f"{folder} has no tokenizer: tokenizer.json is missing",
            help="save it beside the weights: AutoTokenizer.from_pretrained(…).save_pretrained(FOLDER)",
        )
    # Looked for here and not left to each library: llama.cpp's converter trusts what tokenizers name.
    for name in ("config.json", "tokenizer_config.json"):
        if "auto_map" in _json(folder / name):
            raise StageFailed(
                f"{folder} wants its own code run (auto_map in {name}), which is never done",
                help="use a model whose architecture transformers has; where its tokenizer.json says all, take auto_map out",
            )


def end_tokens(folder: Path) -> tuple[int, ...]:
    """The ids that end a text: the model's own first, then the others that its generation config adds. Raises StageFailed without any."""
    found: list[int] = []
    for name in ("config.json", "generation_config.json"):
        value = _json(folder / name).get("eos_token_id")
        found += value if isinstance(value, list) else [value] if isinstance(value, int) else []
    if not found:
        raise StageFailed(f"{folder} names no end token", help="set eos_token_id in its config.json")
    return tuple(dict.fromkeys(found))


def load_text(folder: Path) -> Text:
    check_folder(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return Text(tokenizer, end_tokens(folder))


def load_model(folder: Path, precision: Precision = "float32") -> Any:
    """The model in `precision`, in evaluation mode, on pinned threads: one for each core, so that sums are taken in the same order.

    Raises StageFailed for a folder that is no causal model, and for weights that are not exactly those of its config.json.
    """
    check_folder(folder)
    process.keep_memory()
    torch.set_num_threads(process.cores())
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=DTYPES[precision],
            attn_implementation=packed.NAME,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # told, and refused below
        )
    except (OSError, ValueError, KeyError) as error:
        raise StageFailed(
            f"{folder} does not load as a causal language model: {error}", help="give a causal model that transformers knows"
        ) from error
    model, told = loaded
    _check_weights(told, folder)
    model.eval()
    _check_head(model, folder)
    return model


def _check_weights(told: Mapping[str, Any], folder: Path) -> None:
    """transformers would draw what the files lack at random, anew in each process, and drop what the architecture has no place for."""
    problems = {
        "no file has weights that config.json asks for": told["missing_keys"],
        "the files have weights of another shape than config.json asks for": {name for name, *_ in told["mismatched_keys"]},
        # Not what older versions wrote down and this one computes: inv_freq of rotary embeddings, masks.
        "the files have weights that config.json has no place for": {
            name for name in told["unexpected_keys"] if name.endswith((".weight", ".bias"))
        },
    }
    for said, names in problems.items():
        if names:
            raise StageFailed(
                f"{folder.name}: {said}: {', '.join(sorted(names)[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}",
                help="copy the model's folder again, all of it: config.json and every safetensors file belong together",
            )


@torch.inference_mode()
def _check_head(model: Any, folder: Path) -> None:
    """The head is applied to chosen positions alone; a model that does more to its logits (a scale, a soft cap) is refused."""
    ids = torch.arange(8) % int(model.config.vocab_size)
    layout = packed.Packed([len(ids)])
    whole = model(input_ids=ids[None], position_ids=layout.positions[None], use_cache=False, packed=layout).logits[0]
    ours = model.get_output_embeddings()(packed.hidden_states(model, ids, layout))
    tolerance = 1e-3 if ours.dtype == torch.float32 else 0.03
    if not torch.allclose(whole.float(), ours.float(), atol=tolerance, rtol=tolerance):
        raise StageFailed(
            f"{folder.name}: this architecture ({model.config.model_type}) changes its logits after the head, which is not known here",
            help="use a model of the llama, qwen or similar families",
        )
