"""A llama-architecture GGUF as a Hugging Face folder: weights dequantised to float32, the tokenizer from the file's own tokens.

Done here and not by transformers' `gguf_file=`: that takes 40 s and accelerate, cannot save what it has loaded, and takes the
tokenizer's cut of the text from the architecture and not from the file.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from numpy.typing import NDArray
from safetensors.torch import save_file
from transformers import GenerationConfig, LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from distillc.compiler.facts.gguf import read_header
from distillc.plugins.teachers.tokenizers import LLAMA3, byte_level, write
from distillc.runtimes.given import given
from distillc.spec.errors import StageFailed

_TOP = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight", "output.weight": "lm_head.weight"}
_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_FACTORS = "rope_freqs.weight"
_SCALING = "llama.rope.scaling."
# Of all that Meta has made; what else the factors could come from cannot be told from them.
_LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
_HELP = "give the model's Hugging Face folder as `path`, or let the file answer and teach as it is: `uses: llama_cpp`"
_CONTROL, _USER_DEFINED = 3, 4  # gguf.TokenType


def convert(source: Path, out: Path) -> None:
    """Writes config, weights, tokenizer and generation config into `out`.

    Raises StageFailed for what is not such a GGUF, and for one with weights or a rotary embedding that the folder cannot say.
    """
    with given(source.name):
        # Ours first, which believes no length before it has looked at the file: gguf's reader loops over as many items as a header claims.
        read_header(source)
    try:
        reader = GGUFReader(source)
    except (ValueError, OSError) as error:
        raise StageFailed(f"{source.name} is not a GGUF file: {error}", help="give a Hugging Face folder or a .gguf file") from error
    fields: dict[str, Any] = {name: field.contents() for name, field in reader.fields.items()}
    architecture = fields.get("general.architecture")
    if architecture != "llama":
        raise StageFailed(
            f"{source.name} holds a model of architecture {architecture!r}; only 'llama' is converted here",
            help="convert it to a Hugging Face folder elsewhere and give that as `path`",
        )
    if fields.get("tokenizer.ggml.model") != "gpt2":
        raise StageFailed(
            f"{source.name} has no byte-level BPE tokenizer (it is {fields.get('tokenizer.ggml.model')!r})",
            help="give a Hugging Face folder with a tokenizer.json",
        )
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    factors = tensors.pop(_FACTORS, None)
    if unknown := sorted(name for name in tensors if _name(name) is None):
        raise StageFailed(
            f"{source.name} has weights that are not converted: {', '.join(unknown[:3])}{' …' if len(unknown) > 3 else ''}", help=_HELP
        )
    rope = _rope(fields, None if factors is None else np.asarray(factors.data, np.float64))
    if rope is None:
        raise StageFailed(f"{source.name} scales its rotary embedding in a way that a folder cannot be told", help=_HELP)
    config = _config(fields, rope, tied="output.weight" not in tensors)
    heads: int = fields["llama.attention.head_count"]
    weights = {}
    for tensor in tensors.values():
        name = str(_name(tensor.name))
        values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32, copy=False)
        if ".q_proj." in name:
            values = _unpermute(values, heads)
        elif ".k_proj." in name:
            values = _unpermute(values, int(fields.get("llama.attention.head_count_kv", heads)))
        weights[name] = torch.tensor(values)
    _tokenizer(fields, out)
    config.save_pretrained(out)
    GenerationConfig(bos_token_id=config.bos_token_id, eos_token_id=config.eos_token_id, pad_token_id=config.pad_token_id).save_pretrained(
        out
    )
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})


def _rope(fields: dict[str, Any], factors: NDArray[np.float64] | None) -> dict[str, Any] | None:
    """The rotary embedding as a config says it; None where it cannot. `factors` divide the frequencies, shape (head width / 2,)."""
    theta = float(fields.get("llama.rope.freq_base", 10000.0))
    said = {name.removeprefix(_SCALING): value for name, value in fields.items() if name.startswith(_SCALING)}
    said.pop("finetuned", None)  # how the model was made, and not how it runs
    original = said.pop("original_context_length", fields["llama.context_length"])
    factor = _float(said.pop("factor", fields.get("llama.rope.scale_linear", 1.0)))  # the second is the first's old name
    kind = said.pop("type", "linear")
    scales = kind != "none" and factor not in (0.0, 1.0)  # 0 is llama.cpp's word for none
    if said or fields.get("llama.rope.dimension_count", _head(fields)) != _head(fields):
        return None
    if factors is not None and (factors != 1).any():
        found = {"rope_type": "llama3", "rope_theta": theta, "factor": _float(factors.max()), **_LLAMA3}
        return found if not scales and np.allclose(factors, _llama3_factors(found, _head(fields)), rtol=1e-4) else None
    if not scales:
        return {"rope_type": "default", "rope_theta": theta}
    if kind == "linear":
        return {"rope_type": "linear", "rope_theta": theta, "factor": factor}
    if kind == "yarn":
        return {"rope_type": "yarn", "rope_theta": theta, "factor": factor, "original_max_position_embeddings": original}
    return None


def _llama3_factors(rope: dict[str, Any], head: int) -> NDArray[np.float64]:
    """What transformers divides the frequencies by for such a config."""
    config = LlamaConfig(head_dim=head, max_position_embeddings=1 << 20, rope_parameters=rope)
    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    return np.asarray(rope["rope_theta"] ** -(np.arange(0, head, 2) / head) / scaled.double().numpy())


def _head(fields: dict[str, Any]) -> int:
    return int(fields.get("llama.attention.key_length", fields["llama.embedding_length"] // fields["llama.attention.head_count"]))


def _float(value: float) -> float:
    """float32 of 1e-05 reads back as 9.999999747378752e-06; seven digits are all that it has."""
    return float(f"{value:.7g}")


def _config(fields: dict[str, Any], rope: dict[str, Any], *, tied: bool) -> LlamaConfig:
    heads = fields["llama.attention.head_count"]
    eos = fields["tokenizer.ggml.eos_token_id"]
    config = LlamaConfig(
        vocab_size=len(fields["tokenizer.ggml.tokens"]),
        hidden_size=fields["llama.embedding_length"],
        intermediate_size=fields["llama.feed_forward_length"],
        num_hidden_layers=fields["llama.block_count"],
        num_attention_heads=heads,
        num_key_value_heads=fields.get("llama.attention.head_count_kv", heads),
        head_dim=_head(fields),
        max_position_embeddings=fields["llama.context_length"],
        rms_norm_eps=_float(fields["llama.attention.layer_norm_rms_epsilon"]),
        rope_parameters=rope,
        tie_word_embeddings=tied,
        bos_token_id=fields.get("tokenizer.ggml.bos_token_id", eos),
        eos_token_id=eos,
        pad_token_id=fields.get("tokenizer.ggml.padding_token_id", eos),
        dtype="float32",
    )
    config.architectures = ["LlamaForCausalLM"]
    return config


def _name(name: str) -> str | None:
    if name in _TOP:
        return _TOP[name]
    parts = name.split(".")
    if len(parts) == 4 and parts[0] == "blk" and parts[2] in _LAYER and parts[3] == "weight":
        return f"model.layers.{parts[1]}.{_LAYER[parts[2]]}.weight"
    return None


def _unpermute(values: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Undoes what the GGUF converter does to the rotary halves of each head (llama.cpp, `LlamaModel.permute`)."""
    return values.reshape(heads, values.shape[0] // heads // 2, 2, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def _tokenizer(fields: dict[str, Any], out: Path) -> None:
    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    kinds: list[int] = fields["tokenizer.ggml.token_type"]
    merges = [(left, right) for left, right in (merge.split(" ") for merge in fields["tokenizer.ggml.merges"])]
    special = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL]
    added = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _USER_DEFINED]
    pre = fields.get("tokenizer.ggml.pre", "default")
    tokenizer = byte_level(tokens, merges, pre=pre, special=special, added=added)
    if fields.get("tokenizer.ggml.add_bos_token", pre in LLAMA3):
        from tokenizers.processors import TemplateProcessing

        bos = tokens[fields["tokenizer.ggml.bos_token_id"]]
        tokenizer.post_processor = TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, fields["tokenizer.ggml.bos_token_id"])])
    settings: dict[str, object] = {"model_max_length": fields["llama.context_length"]}
    for key, field in (("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"), ("pad_token", "padding")):
        index = fields.get(f"tokenizer.ggml.{field}_token_id")
        if index is not None:
            settings[key] = tokens[index]
    write(tokenizer, out, settings=settings, chat_template=fields.get("tokenizer.chat_template"))
