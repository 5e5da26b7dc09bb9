"""A GGUF file as a folder: what the folder can say comes back, what it cannot is refused, and Llama 3's words are cut as llama.cpp does.

SmolLM2's file is in `test_teachers.py`.
"""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers.pre_tokenizers import ByteLevel

from distillc.plugins.api.artifacts import Model
from distillc.plugins.api.models import BuildContext
from distillc.plugins.quantizers.configs import GgufConfig
from distillc.plugins.quantizers.gguf import GgufQuantizer
from distillc.plugins.teachers.configs import RandomConfig
from distillc.plugins.teachers.gguf_folder import convert
from distillc.plugins.teachers.random import Random
from distillc.runtimes.inference.loading import load_text
from distillc.spec.errors import StageFailed


def rotating(folder: Path, rope: dict[str, Any]) -> Model:
    """A tiny Llama of such a rotary embedding: its eight frequencies have wavelengths from 6 to 600,000 tokens."""
    info = Random(RandomConfig(layers=1, width=32)).build(folder, BuildContext(folder=folder, name="m", cache=folder, seed=0))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    said = {**config, "max_position_embeddings": 16384, "rope_parameters": {"rope_theta": 500000.0, **rope}}
    (folder / "config.json").write_text(json.dumps(said), encoding="utf-8")
    return Model(folder, info)


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192},
        {"rope_type": "linear", "factor": 2.5},
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4096},
    ],
    ids=lambda rope: str(rope["rope_type"]),
)
def test_a_scaled_rotary_embedding_comes_back_as_llama_cpps_converter_was_given_it(tmp_path: Path, rope: dict[str, Any]) -> None:
    folder, made, back = tmp_path / "given", tmp_path / "made", tmp_path / "back"
    for path in (folder, made, back):
        path.mkdir()
    GgufQuantizer(GgufConfig(type="f32")).quantize(rotating(folder, rope), made, name="g")
    convert(made / "model.gguf", back)
    said = json.loads((back / "config.json").read_text(encoding="utf-8"))["rope_parameters"]
    assert said == {"rope_theta": 500000.0, **rope}
    before, after = load_file(folder / "model.safetensors"), load_file(back / "model.safetensors")
    assert before.keys() == after.keys()
    assert all(torch.equal(values, after[name]) for name, values in before.items())


def written(path: Path, fields: dict[str, Any], tensors: dict[str, np.ndarray[Any, Any]], *, pre: str = "gpt-2") -> Path:
    """A GGUF of one layer, 32 wide, with a few more fields and tensors than it needs."""
    alphabet = sorted(ByteLevel.alphabet())
    tokens = ["<|begin|>", "<|end|>", *alphabet, "th", "hello", "Ġthe"]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(16384)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(64)
    writer.add_block_count(1)
    writer.add_head_count(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(5e5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3] + [1] * (len(tokens) - 2))
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    for name, value in fields.items():
        if isinstance(value, str):
            writer.add_string(name, value)
        else:
            writer.add_float32(name, value)
    square = np.zeros((32, 32), np.float32)
    own = {
        "token_embd": np.zeros((len(tokens), 32), np.float32), "output_norm": square[0],
        **{f"blk.0.{name}": square for name in ("attn_q", "attn_k", "attn_v", "attn_output")},
        **{f"blk.0.{name}": square[0] for name in ("attn_norm", "ffn_norm")},
        **{f"blk.0.{name}": np.zeros((64, 32), np.float32) for name in ("ffn_gate", "ffn_up")},
        "blk.0.ffn_down": np.zeros((32, 64), np.float32),
    }  # fmt: skip
    for name, values in ({f"{name}.weight": values for name, values in own.items()} | tensors).items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


EIGHT = np.ones(8, np.float32)


@pytest.mark.parametrize(
    ("fields", "tensors", "message"),
    [
        ({}, {"blk.0.attn_q.bias": np.ones(32, np.float32)}, r"not converted: blk\.0\.attn_q\.bias"),
        ({}, {"blk.0.ffn_gate_inp.weight": np.ones((2, 32), np.float32)}, r"not converted: blk\.0\.ffn_gate_inp"),
        ({}, {"rope_freqs.weight": 8 * EIGHT}, "scales its rotary embedding"),
        ({"llama.rope.scaling.type": "longrope", "llama.rope.scaling.factor": 4.0}, {}, "scales its rotary embedding"),
        ({"llama.rope.scaling.type": "yarn", "llama.rope.scaling.factor": 4.0, "llama.rope.scaling.yarn_beta_fast": 8.0}, {}, "scales"),
    ],
    ids=["biases", "experts", "factors that are not Llama 3's", "longrope", "yarn with settings"],
)
def test_what_a_folder_cannot_say_is_refused_with_the_way_out(
    tmp_path: Path, fields: dict[str, Any], tensors: dict[str, Any], message: str
) -> None:
    with pytest.raises(StageFailed, match=message) as failed:
        convert(written(tmp_path / "m.gguf", fields, tensors), tmp_path)
    assert "uses: llama_cpp" in str(failed.value.help)


def test_factors_of_one_and_a_scale_of_one_change_nothing(tmp_path: Path) -> None:
    convert(written(tmp_path / "m.gguf", {"llama.rope.scaling.factor": 1.0}, {"rope_freqs.weight": EIGHT}), tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["rope_parameters"] == {"rope_type": "default", "rope_theta": 500000.0}


def test_a_scale_under_its_old_name_is_read(tmp_path: Path) -> None:
    convert(written(tmp_path / "m.gguf", {"llama.rope.scale_linear": 4.0}, {}), tmp_path)
    said = json.loads((tmp_path / "config.json").read_text())["rope_parameters"]
    assert said == {"rope_type": "linear", "rope_theta": 500000.0, "factor": 4.0}


def test_llama_3_takes_words_that_are_tokens_whole_and_begins_with_bos_as_llama_cpp_does(tmp_path: Path) -> None:
    """`hello` and ` the` are tokens that no merge makes."""
    llama_cpp = pytest.importorskip("llama_cpp")
    file = written(tmp_path / "m.gguf", {}, {}, pre="llama-bpe")
    convert(file, tmp_path)
    theirs, ours = llama_cpp.Llama(str(file), vocab_only=True, verbose=False), load_text(tmp_path)
    for line in ("hello the other", "this hello", "naïve 2024's — 12345 😀\n\n  x", "<|end|>hello"):
        assert ours.prompt(line) == theirs.tokenize(line.encode(), add_bos=True, special=True), line
    assert ours.tokenizer.encode("hello the").tokens == ["<|begin|>", "hello", "Ġthe"]
