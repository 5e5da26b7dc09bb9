"""The bytes of tokens are those that others know: llama.cpp of a GGUF file, `tokenizers` of a folder."""

import json
from pathlib import Path
from typing import Any

import pytest
from gguf import GGUFWriter, TokenType
from tokenizers import Tokenizer

from distillc.plugins.api.artifacts import Model
from distillc.plugins.engines.configs import LlamaCppConfig
from distillc.plugins.engines.llama_cpp import LlamaCppEngine
from distillc.plugins.quantizers.configs import GgufConfig
from distillc.plugins.quantizers.gguf import GgufQuantizer
from distillc.runtimes.inference.token_bytes import token_bytes
from distillc.spec.errors import StageFailed

TEXTS = ["The cat sat on the mat.", "  Café 🙂 1789\n\t¿x?"]


def test_a_folder_and_a_gguf_file_have_the_bytes_that_llama_cpp_knows(tiny_model: Model, tmp_path: Path) -> None:
    info = GgufQuantizer(GgufConfig(type="f32")).quantize(tiny_model, tmp_path, name="g")
    running = LlamaCppEngine(LlamaCppConfig(threads=1)).open(Model(tmp_path, info), seed=0)
    of_folder, of_file = token_bytes(tiny_model.folder), token_bytes(tmp_path / "model.gguf")
    assert of_folder.size == of_file.size == running.vocabulary
    for token in range(running.vocabulary):
        data = running.piece(token)
        assert of_folder.spelled([token]) == of_file.spelled([token]) == data
        if data:
            assert of_folder.id_of(data) == of_file.id_of(data) == token
    running.close()
    assert of_folder.id_of(b"<|endoftext|>") == 0
    tokenizer = Tokenizer.from_file(str(tiny_model.folder / "tokenizer.json"))
    for text in TEXTS:
        assert of_folder.spelled(tokenizer.encode(text, add_special_tokens=False).ids).decode() == text


def written(folder: Path, described: Any) -> Path:
    (folder / "tokenizer.json").write_text(json.dumps(described))
    return folder / "tokenizer.json"


SPM = {
    "model": {"type": "BPE", "vocab": {"<unk>": 0, "</s>": 1, "<0xC3>": 2, "<0x41>": 3, "▁": 4, "▁The": 5, "A": 6, "The": 7}},
    "added_tokens": [{"id": 0, "content": "<unk>", "special": True}, {"id": 1, "content": "</s>", "special": True}],
    "decoder": {
        "type": "Sequence",
        "decoders": [{"type": "Replace", "content": " ", "pattern": {"String": "▁"}}, {"type": "ByteFallback"}],
    },
}


def test_a_sentencepiece_tokenizer_has_blanks_and_lone_bytes(tmp_path: Path) -> None:
    found = token_bytes(written(tmp_path, SPM))
    assert [found.id_of(data) for data in (b" ", b" The", b"The", b"\xc3", b"</s>", b"x")] == [4, 5, 7, 2, 1, None]
    assert found.id_of(b"A") == 6, "a piece stands before the byte that nobody needs for it"
    assert found.spelled([5, 2, 1]) == b" The\xc3"


def test_a_text_that_several_tokens_share_once_bytes_are_left_out_is_unclear(tmp_path: Path) -> None:
    described = {
        "model": {"type": "BPE", "vocab": {"Ġ": 0, "ĠðŁ": 1, "a": 2}},  # a blank, and a blank with half of a smile
        "decoder": {"type": "ByteLevel"},
    }
    found = token_bytes(written(tmp_path, described))
    assert (found.id_of(b" "), found.id_of(b" \xf0\x9f")) == (0, 1)
    assert (found.id_of(b" ", by_text=True), found.id_of(b"a", by_text=True)) == (None, 2)


@pytest.mark.parametrize("described", [[], {}, {"model": {"vocab": {"a": 0}}, "decoder": {"type": "WordPiece"}}])
def test_what_is_none_or_of_another_kind_is_one_clear_error(tmp_path: Path, described: Any) -> None:
    with pytest.raises(StageFailed, match=r"is no tokenizer|bytes are not known here") as failed:
        token_bytes(written(tmp_path, described))
    assert "tokenizer.json" in str(failed.value.help)


def test_a_gguf_file_with_a_kind_for_some_tokens_alone_is_one_clear_error(tmp_path: Path) -> None:
    writer = GGUFWriter(tmp_path / "model.gguf", "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["a", "b", "c"])
    writer.add_token_types([TokenType.NORMAL, TokenType.NORMAL])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    with pytest.raises(StageFailed, match="3 tokens and the kinds of 2") as failed:
        token_bytes(tmp_path / "model.gguf")
    assert failed.value.help
