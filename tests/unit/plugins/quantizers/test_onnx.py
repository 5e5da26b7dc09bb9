"""The ONNX quantizer: only needed files, equal bytes, nothing of the process that wrote them."""

import json
import os
import shutil
import sys
from pathlib import Path

import onnx
import pytest

from distillc.plugins.api.artifacts import Model
from distillc.plugins.quantizers.configs import OnnxConfig
from distillc.plugins.quantizers.onnx import OnnxQuantizer
from distillc.spec.errors import StageFailed


def exported(model: Model, out: Path, **config: object) -> dict[str, bytes]:
    out.mkdir()
    info = OnnxQuantizer(OnnxConfig.model_validate(config)).quantize(model, out, name="small")
    assert (info.format, info.base) == ("onnx-genai", "tiny")
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_equal_models_give_equal_bytes_wherever_they_lie(tiny_model: Model, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(tiny_model.folder, elsewhere)
    one = exported(tiny_model, tmp_path / "one")
    other = exported(Model(elsewhere, tiny_model.info), tmp_path / "other")
    assert one == other
    assert set(one) == {"genai_config.json", "model.onnx", "model.onnx.data", "tokenizer.json", "tokenizer_config.json"}
    assert not any(str(tmp_path).encode() in content for content in one.values())


def test_no_commit_of_a_repository_around_it_is_written(tiny_model: Model, tmp_path: Path) -> None:
    exported(tiny_model, tmp_path / "out", precision="fp32")
    graph = onnx.load(str(tmp_path / "out" / "model.onnx"), load_external_data=False)
    assert "+" not in graph.producer_version


def test_int4_takes_less_room_and_a_wider_block_still_less(tiny_model: Model, tmp_path: Path) -> None:
    wide = exported(tiny_model, tmp_path / "wide", precision="fp32")["model.onnx.data"]
    small = exported(tiny_model, tmp_path / "small", block_size=16)["model.onnx.data"]
    smaller = exported(tiny_model, tmp_path / "smaller", block_size=64)["model.onnx.data"]
    assert len(smaller) < len(small) < len(wide) / 2


def test_the_process_is_as_before(tiny_model: Model, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, environment = list(sys.path), dict(os.environ)
    exported(tiny_model, tmp_path / "out")
    assert (sys.path, dict(os.environ)) == (path, environment)
    assert capfd.readouterr().out == ""


def test_an_unknown_architecture_is_one_clear_error(tiny_model: Model, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    shutil.copytree(tiny_model.folder, odd)
    config = json.loads((odd / "config.json").read_text("utf-8"))
    (odd / "config.json").write_text(json.dumps({**config, "architectures": ["NobodysModel"]}), "utf-8")
    with pytest.raises(StageFailed, match="gave up") as caught:
        exported(Model(odd, tiny_model.info), tmp_path / "out")
    assert "uses: gguf" in str(caught.value.help)
