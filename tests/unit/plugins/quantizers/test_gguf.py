"""The GGUF quantizer: llama.cpp loads what it writes, bytes do not hang on where the model lies."""

import json
import logging
import shutil
from pathlib import Path

import pytest
from gguf import GGUFReader

from distillc.plugins.api.artifacts import Model
from distillc.plugins.quantizers.configs import GgufConfig
from distillc.plugins.quantizers.gguf import GgufQuantizer, described_pre_tokenizer
from distillc.spec.errors import StageFailed


def exported(model: Model, out: Path, kind: str) -> Path:
    out.mkdir()
    info = GgufQuantizer(GgufConfig.model_validate({"type": kind})).quantize(model, out, name="small")
    assert (info.format, info.precision, info.license, info.base) == ("gguf", kind, "Apache-2.0", "tiny")
    assert [path.name for path in out.iterdir()] == ["model.gguf"]
    return out / "model.gguf"


def test_the_bytes_do_not_hang_on_the_folder_or_its_card(tiny_model: Model, tmp_path: Path) -> None:
    elsewhere = tmp_path / "Other-7B-instruct-v0.3"  # the converter reads size, version and fine-tune from such a name
    shutil.copytree(tiny_model.folder, elsewhere)
    (elsewhere / "README.md").write_text("---\nlicense: mit\nbase_model: somebody/else\n---\n# Card\n", "utf-8")
    one = exported(tiny_model, tmp_path / "one", "q8_0")
    other = exported(Model(elsewhere, tiny_model.info), tmp_path / "other", "q8_0")
    assert one.read_bytes() == other.read_bytes()


def test_name_and_licence_are_written_and_no_path(tiny_model: Model, tmp_path: Path) -> None:
    file = exported(tiny_model, tmp_path / "out", "f16")
    fields = GGUFReader(file).fields
    assert fields["general.name"].contents() == "small"
    assert fields["general.license"].contents() == "Apache-2.0"
    assert str(tiny_model.folder).encode() not in file.read_bytes()


def test_a_k_quant_of_a_width_that_256_does_not_divide_says_so(tiny_model: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        exported(tiny_model, tmp_path / "out", "q6_k")
    assert "14 tensors have a width that q6_k cannot take" in caplog.text  # 7 matrices in each of 2 layers


def test_an_unknown_way_to_cut_words_is_refused_with_the_way_out(tiny_model: Model, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    shutil.copytree(tiny_model.folder, odd)
    described = json.loads((odd / "tokenizer.json").read_text("utf-8"))
    described["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}, described["pre_tokenizer"]]}
    (odd / "tokenizer.json").write_text(json.dumps(described), "utf-8")
    with pytest.raises(StageFailed) as caught:
        exported(Model(odd, tiny_model.info), tmp_path / "out", "q8_0")
    assert "uses: onnx" in str(caught.value.help)


@pytest.mark.parametrize(
    ("pre", "name"),
    [
        ({"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}, "gpt-2"),
        ({"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}, None),
        ({"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}, None),
        (None, None),
    ],
)
def test_only_what_llama_cpp_does_alike_is_named(tmp_path: Path, pre: object, name: str | None) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"model": {"type": "BPE"}, "pre_tokenizer": pre}), "utf-8")
    assert described_pre_tokenizer(path) == name
    path.write_text(json.dumps({"model": {"type": "BPE"}, "pre_tokenizer": pre, "normalizer": {"type": "NFC"}}), "utf-8")
    assert described_pre_tokenizer(path) is None


def test_a_tokenizer_that_wants_its_own_code_run_is_refused(tiny_model: Model, tmp_path: Path) -> None:
    """The converter opens tokenizers with trust_remote_code."""
    odd = tmp_path / "odd"
    shutil.copytree(tiny_model.folder, odd)
    ran = tmp_path / "ran"
    (odd / "code.py").write_text(f"open({str(ran)!r}, 'w')\n", "utf-8")
    said = json.loads((odd / "tokenizer_config.json").read_text("utf-8"))
    said["auto_map"] = {"AutoTokenizer": ["code.Class", "code.Class"]}
    (odd / "tokenizer_config.json").write_text(json.dumps(said), "utf-8")
    with pytest.raises(StageFailed, match="auto_map in tokenizer_config"):
        exported(Model(odd, tiny_model.info), tmp_path / "out", "q8_0")
    assert not ran.exists()


def test_models_are_copied_where_links_are_not_allowed(tiny_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError("A required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refused)
    assert exported(tiny_model, tmp_path / "out", "f16").stat().st_size > 0
