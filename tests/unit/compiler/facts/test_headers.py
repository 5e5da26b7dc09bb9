"""Header readers: right about sound files, and about any other bytes nothing but their own error."""

import contextlib
import json
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distillc.compiler.facts import gguf, safetensors
from distillc.compiler.facts.model import ModelFacts, UnknownModel, read_facts
from distillc.spec.errors import UsageError

TOKENS = [f"t{i}" for i in range(40)]


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def entry(key: str, kind: int, payload: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + payload


def header(*entries: bytes, tensors: int = 0, version: int = 3, keys: int | None = None) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, len(entries) if keys is None else keys) + b"".join(entries)


def array(kind: int, count: int, payload: bytes) -> bytes:
    return struct.pack("<IQ", kind, count) + payload


SMALL = header(
    entry("general.architecture", 8, text("llama")),
    entry("llama.embedding_length", 4, struct.pack("<I", 576)),
    entry("llama.block_count", 4, struct.pack("<I", 30)),
    entry("general.license", 8, text("apache-2.0")),
    entry("tokenizer.ggml.tokens", 9, array(8, 40, b"".join(map(text, TOKENS)))),
    entry("general.flag", 7, b"\1"),
    entry("general.sizes", 9, array(5, 2, struct.pack("<ii", -1, 7))),
)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(data: bytes, name: str = "m.gguf") -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


def test_a_gguf_header_is_read(file: Any) -> None:
    found = gguf.read_header(file(SMALL + bytes(100)))
    assert found.metadata["general.flag"] is True
    assert found.metadata["general.sizes"] == (-1, 7)
    assert found.metadata["tokenizer.ggml.tokens"].items == 40
    facts = read_facts(file(SMALL))
    assert (facts.architecture, facts.width, facts.layers, facts.vocabulary, facts.license) == ("llama", 576, 30, 40, "apache-2.0")


def test_another_writer_is_read(tmp_path: Path) -> None:
    """The format's reference writer, not ours."""
    writer_module = pytest.importorskip("gguf")
    writer = writer_module.GGUFWriter(tmp_path / "w.gguf", "llama")
    writer.add_embedding_length(320)
    writer.add_block_count(2)
    writer.add_token_list(TOKENS)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    facts = read_facts(tmp_path / "w.gguf")
    assert (facts.architecture, facts.width, facts.layers, facts.vocabulary) == ("llama", 320, 2, 40)


def test_vocabularies_differ_by_their_bytes(file: Any) -> None:
    other = SMALL.replace(text("t7"), text("x7"))
    assert read_facts(file(SMALL)).tokenizer != read_facts(file(other)).tokenizer
    assert read_facts(file(SMALL)).tokenizer == read_facts(file(SMALL + b"weights")).tokenizer


HUGE = 1 << 62


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GGUF",
        b"GGML" + SMALL[4:],
        header(version=1),
        header(version=0x03000000),  # a big-endian file
        header(keys=HUGE),
        header(tensors=HUGE),
        header(struct.pack("<Q", HUGE)),
        header(entry("k", 8, struct.pack("<Q", HUGE))),
        header(entry("k", 9, array(8, HUGE, b""))),
        header(entry("k", 9, array(4, 1 << 21, b""))),
        header(entry("k", 9, array(9, 1, array(9, 1, b"")))),
        header(entry("k", 13, b"")),
        header(entry("k", 7, b"\2")),
        header(entry("k", 4, b"\0")),
        header(entry("general.alignment", 4, struct.pack("<I", 7))),
        header(entry("general.alignment", 8, text("32"))),
        header(entry("k", 0, b"\0"), entry("k", 0, b"\0")),
        SMALL[:-1],
    ],
)
def test_damaged_gguf_is_said_to_be_damaged(file: Any, data: bytes) -> None:
    with pytest.raises(gguf.BadGGUF):
        gguf.read_header(file(data))


@settings(max_examples=300, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.binary(min_size=1, max_size=9)), max_size=6), st.integers(0, len(SMALL)))
def test_no_mutation_hangs_or_raises_anything_else(file: Any, changes: list[tuple[int, bytes]], cut: int) -> None:
    data = bytearray(SMALL)
    for place, new in changes:
        data[place : place + len(new)] = new
    started = time.process_time()
    for mutant in (bytes(data), bytes(data[:cut])):
        with contextlib.suppress(UsageError):
            read_facts(file(mutant))
    assert time.process_time() - started < 1


def tensors(**more: Any) -> bytes:
    entries = {"a": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}, "__metadata__": {"format": "pt"}, **more}
    body = json.dumps(entries).encode()
    return struct.pack("<Q", len(body)) + body + bytes(12)


def test_a_safetensors_header_is_read(file: Any) -> None:
    found = safetensors.read_header(file(tensors(), "m.safetensors"))
    assert (found.shapes, found.types, found.parameters) == ({"a": (2, 3)}, {"a": "F16"}, 6)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1234567",
        struct.pack("<Q", 1 << 63),
        struct.pack("<Q", 1 << 20) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 4) + b"nope",
        struct.pack("<Q", 40_000) + b"[" * 40_000,
        tensors(b={"dtype": "F16", "shape": [2], "data_offsets": [10, 14]}),
        tensors(b={"dtype": "F16", "shape": [4], "data_offsets": [0, 4]}),
        tensors(b={"dtype": "F16", "shape": [-1], "data_offsets": [0, 4]}),
        tensors(b={"dtype": "F16", "shape": [True], "data_offsets": [0, 2]}),
        tensors(b={"dtype": "F16", "shape": [1] * 17, "data_offsets": [0, 2]}),
        tensors(b={"dtype": "F16", "shape": [1], "data_offsets": [2, 0]}),
        tensors(b={"dtype": 1, "shape": [1], "data_offsets": [0, 2]}),
        tensors(b=3),
        tensors(__metadata__={"a": 1}),
    ],
)
def test_damaged_safetensors_are_said_to_be_damaged(file: Any, data: bytes) -> None:
    with pytest.raises(safetensors.BadSafetensors):
        safetensors.read_header(file(data, "m.safetensors"))


@settings(max_examples=200, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 120), st.binary(min_size=1, max_size=4)), max_size=6))
def test_no_mutation_of_safetensors_raises_anything_else(file: Any, changes: list[tuple[int, bytes]]) -> None:
    data = bytearray(tensors())
    for place, new in changes:
        data[place : place + len(new)] = new
    with contextlib.suppress(safetensors.BadSafetensors):
        safetensors.read_header(file(bytes(data), "m.safetensors"))


def test_a_model_folder_is_read(tmp_path: Path) -> None:
    config = {
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "vocab_size": 100,
        "max_position_embeddings": 512,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(tensors())
    (tmp_path / "distill.json").write_text('{"license": "MIT"}')
    assert read_facts(tmp_path) == ModelFacts(
        format="hf", architecture="LlamaForCausalLM", width=64, layers=2, vocabulary=100, license="MIT", parameters=6, context=512
    )


@pytest.mark.parametrize("content", [None, b"", b"[1]", b"{", b"\xff", b"[" * 100_000])
def test_a_folder_without_a_sound_config_is_no_model(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(UnknownModel):
        read_facts(tmp_path)


@given(
    st.dictionaries(
        st.sampled_from(["hidden_size", "vocab_size", "architectures", "text_config", "model_type"]),
        st.none() | st.integers() | st.lists(st.integers(), max_size=2) | st.text(max_size=3),
    )
)
@settings(max_examples=100, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_strange_values_in_a_config_are_unknown_facts(tmp_path: Path, config: dict[str, Any]) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    facts = read_facts(tmp_path)
    assert facts.width is None or facts.width == config["hidden_size"]
