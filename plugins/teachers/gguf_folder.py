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

from distillc.compiler.facts.gguf import read_header
from distillc.plugins.teachers.tokenizers import byte_level, write
from distillc.spec.errors import StageFailed, UsageError

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
_CONTROL, _USER_DEFINED = 3, 4  # gguf.TokenType


def convert(source: Path, out: Path) -> None:
    """Writes config, weights, tokenizer and generation config into `out`. Raises StageFailed for what is not such a GGUF."""
    try:
        # Ours first, which believes no length before it has looked at the file: gguf's reader loops over as many items as a header claims.
        read_header(source)
        reader = GGUFReader(source)
    except UsageError as error:
        raise StageFailed(error.message, help=error.help) from error
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
    tied = all(tensor.name != "output.weight" for tensor in reader.tensors)
    config = _config(fields, tied=tied)
    heads: int = fields["llama.attention.head_count"]
    weights = {}
    for tensor in reader.tensors:
        name = _name(tensor.name)
        if name is None:  # rope_freqs and the like: derived, not learned
            continue
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


def _config(fields: dict[str, Any], *, tied: bool) -> LlamaConfig:
    heads = fields["llama.attention.head_count"]
    width = fields["llama.embedding_length"]
    eos = fields["tokenizer.ggml.eos_token_id"]
    config = LlamaConfig(
        vocab_size=len(fields["tokenizer.ggml.tokens"]),
        hidden_size=width,
        intermediate_size=fields["llama.feed_forward_length"],
        num_hidden_layers=fields["llama.block_count"],
        num_attention_heads=heads,
        num_key_value_heads=fields.get("llama.attention.head_count_kv", heads),
        head_dim=fields.get("llama.attention.key_length", width // heads),
        max_position_embeddings=fields["llama.context_length"],
        # float32 of 1e-05 reads back as 9.999999747378752e-06; seven digits are all that it has.
        rms_norm_eps=float(f"{fields['llama.attention.layer_norm_rms_epsilon']:.7g}"),
        rope_parameters={"rope_type": "default", "rope_theta": float(fields.get("llama.rope.freq_base", 10000.0))},
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
    if len(parts) == 4 and parts[0] == "blk" and parts[2] in _LAYER:
        return f"model.layers.{parts[1]}.{_LAYER[parts[2]]}.{parts[3]}"
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
    tokenizer = byte_level(tokens, merges, pre=fields.get("tokenizer.ggml.pre", "default"), special=special, added=added)
    if fields.get("tokenizer.ggml.add_bos_token"):
        from tokenizers.processors import TemplateProcessing

        bos = tokens[fields["tokenizer.ggml.bos_token_id"]]
        tokenizer.post_processor = TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, fields["tokenizer.ggml.bos_token_id"])])
    settings: dict[str, object] = {"model_max_length": fields["llama.context_length"]}
    for key, field in (("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"), ("pad_token", "padding")):
        index = fields.get(f"tokenizer.ggml.{field}_token_id")
        if index is not None:
            settings[key] = tokens[index]
    write(tokenizer, out, settings=settings, chat_template=fields.get("tokenizer.chat_template"))
