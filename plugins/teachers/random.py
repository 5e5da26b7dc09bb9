"""A small Llama with random weights: everything that a real model has, in a second, for tests and tiny profiles."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import pre_tokenizers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from distillc.plugins.api.artifacts import ModelInfo
from distillc.plugins.api.models import BuildContext
from distillc.plugins.teachers.configs import RandomConfig
from distillc.plugins.teachers.tokenizers import byte_level, write

_END = "<|endoftext|>"
# Frequent English pairs, so that merges are exercised; Ġ is the byte-level space. Each token can be reached by its merge (`a n` comes
# first, so `Ġa n` never would): onnxruntime-genai takes whole words from the vocabulary, and would read others than transformers.
_MERGES = "Ġ t,h e,Ġt he,i n,e r,a n,r e,o n,Ġ a,e s,o r,e n,a t,i s,o u,Ġ s,Ġ w,Ġ c,in g,e d,Ġ o,Ġo f,Ġ f,Ġ p,t o,Ġ an,i t,a l,Ġ b"


class Random:
    def __init__(self, config: RandomConfig) -> None:
        self.config = config

    def build(self, out: Path, context: BuildContext) -> ModelInfo:
        merges = [(left, right) for left, right in (pair.split() for pair in _MERGES.split(","))]
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        tokens = [_END, *alphabet, *(left + right for left, right in merges)]
        write(
            byte_level(tokens, merges, pre="gpt-2", special=[_END]),
            out,
            settings={"bos_token": _END, "eos_token": _END, "pad_token": _END, "model_max_length": 1024},
        )
        heads = self.config.width // 16
        config = LlamaConfig(
            vocab_size=len(tokens),
            hidden_size=self.config.width,
            intermediate_size=2 * self.config.width,
            num_hidden_layers=self.config.layers,
            num_attention_heads=heads,
            num_key_value_heads=heads // 2,
            head_dim=16,
            max_position_embeddings=1024,
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=0,
            pad_token_id=0,
            dtype="float32",
        )
        config.architectures = ["LlamaForCausalLM"]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(context.seed)
            model = LlamaForCausalLM(config)
        config.save_pretrained(out)
        GenerationConfig(bos_token_id=0, eos_token_id=0, pad_token_id=0).save_pretrained(out)
        weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items() if name != "lm_head.weight"}
        save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
        return ModelInfo(
            format="hf",
            name=context.name,
            family=context.family or "random",
            license=context.license,
            lineage=(context.family or "random",),
            parameters=sum(tensor.numel() for tensor in weights.values()),
            precision="float32",
        )
