"""The engines of exports against transformers on the same weights: same ids, same greedy answers, one by one and in batches."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llama_cpp
import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from distillc.plugins.api.artifacts import Decoding, Model, ModelInfo
from distillc.plugins.api.models import BuildContext
from distillc.plugins.engines.configs import LlamaCppConfig, OnnxGenaiConfig
from distillc.plugins.engines.llama_cpp import LlamaCppEngine
from distillc.plugins.engines.onnx_genai import OnnxGenaiEngine
from distillc.plugins.quantizers.configs import GgufConfig, OnnxConfig
from distillc.plugins.quantizers.gguf import GgufQuantizer
from distillc.plugins.quantizers.onnx import OnnxQuantizer
from distillc.plugins.teachers.configs import RandomConfig
from distillc.plugins.teachers.random import Random
from distillc.runtimes.proof.parity import NASTY, RARE
from distillc.spec.errors import StageFailed

PROMPTS = ["The cat", "She goes to school and he does not", "12", "He is 33", "a<|endoftext|>b", "Tom"]
NEW = 10


@pytest.fixture(scope="module")
def exports(tiny_model: Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Model]:
    """Full-width exports, so that answers can be compared token by token."""
    gguf, onnx = tmp_path_factory.mktemp("gguf"), tmp_path_factory.mktemp("onnx")
    return {
        "llama_cpp": Model(gguf, GgufQuantizer(GgufConfig(type="f32")).quantize(tiny_model, gguf, name="g")),
        "onnx_genai": Model(onnx, OnnxQuantizer(OnnxConfig(precision="fp32")).quantize(tiny_model, onnx, name="o")),
    }


@pytest.fixture(scope="module", params=["llama_cpp", "onnx_genai"])
def running(request: pytest.FixtureRequest, exports: dict[str, Model]) -> Iterator[Any]:
    engine: Any = {
        "llama_cpp": LlamaCppEngine(LlamaCppConfig(batch=4, threads=1)),
        "onnx_genai": OnnxGenaiEngine(OnnxGenaiConfig(batch=4, threads=1)),
    }[request.param]
    opened = engine.open(exports[request.param], seed=0)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def reference(tiny_model: Model) -> list[tuple[str, bool]]:
    """Greedy answers of transformers, and whether the best token led clearly at every step (llama.cpp keeps keys in 16 bits)."""
    model = AutoModelForCausalLM.from_pretrained(tiny_model.folder)
    tokenizer = Tokenizer.from_file(str(tiny_model.folder / "tokenizer.json"))
    found = []
    for prompt in PROMPTS:
        ids, clear = tokenizer.encode(prompt).ids, True
        answer: list[int] = []
        for _ in range(NEW):
            with torch.inference_mode():
                best = model(torch.tensor([ids + answer])).logits[0, -1].topk(2)
            clear = clear and float(best.values[0] - best.values[1]) > 0.01
            if int(best.indices[0]) == 0:
                break
            answer.append(int(best.indices[0]))
        found.append((tokenizer.decode(answer), clear))
    return found


def test_greedy_answers_are_those_of_transformers(running: Any, reference: list[tuple[str, bool]]) -> None:
    answers = dict(running.generate(PROMPTS, PROMPTS, Decoding(max_tokens=NEW)))
    compared = [(answers[index].text, text) for index, (text, clear) in enumerate(reference) if clear]
    assert len(compared) >= 4
    assert all(ours == theirs for ours, theirs in compared), compared
    assert all(answers[index].prompt_tokens == len(running.token_ids(prompt)) for index, prompt in enumerate(PROMPTS))


def test_a_batch_answers_as_each_prompt_alone(running: Any, reference: list[tuple[str, bool]]) -> None:
    together = dict(running.generate(PROMPTS, PROMPTS, Decoding(max_tokens=NEW)))
    for index, prompt in enumerate(PROMPTS):
        if reference[index][1]:
            [(_, alone)] = running.generate([prompt], [prompt], Decoding(max_tokens=NEW))
            assert alone == together[index]


def test_prompts_become_the_ids_of_the_trained_tokenizer(running: Any, tiny_model: Model) -> None:
    tokenizer = Tokenizer.from_file(str(tiny_model.folder / "tokenizer.json"))
    for text in (*NASTY, *RARE, *PROMPTS):
        assert running.token_ids(text) == tokenizer.encode(text).ids, text


def test_an_answer_ends_before_its_stop_string(running: Any) -> None:
    [(_, whole)] = running.generate(["The cat"], [""], Decoding(max_tokens=NEW))
    stop = whole.text[4:6]
    [(_, short)] = running.generate(["The cat"], [""], Decoding(max_tokens=NEW, stop=(stop,)))
    assert short.text == whole.text[: whole.text.index(stop)]
    assert short.finish_reason == "stop"
    assert short.completion_tokens < whole.completion_tokens


def test_sampling_hangs_on_the_seed_alone(running: Any) -> None:
    hot = Decoding(max_tokens=NEW, temperature=1.0)
    [(_, one)] = running.generate(["The cat"], [""], hot)
    [(_, again)] = running.generate(["The cat"], [""], hot)
    assert one == again


def test_timed_gives_one_time_a_prompt(running: Any) -> None:
    seconds = list(running.timed(["The cat", "She goes"], 5))
    assert len(seconds) == 2
    assert all(0 < second < 5 for second in seconds)


def test_a_prompt_longer_than_the_model_is_one_clear_error(running: Any) -> None:
    with pytest.raises(StageFailed, match="the model was made for 256"):
        list(running.generate(["cat " * 300], [""], Decoding(max_tokens=NEW)))


def test_an_empty_prompt_is_one_clear_error_and_no_answer_to_another(running: Any) -> None:
    with pytest.raises(StageFailed, match="a prompt is empty"):
        list(running.generate(["The cat", ""], ["", ""], Decoding(max_tokens=NEW)))
    with pytest.raises(StageFailed, match="a prompt is empty"):
        list(running.timed([""], NEW))


def test_many_short_prompts_and_one_long_need_no_room_for_many_long_ones(tmp_path: Path) -> None:
    """16 sequences of 256 tokens, then one of 1,024: 16 of 1,024 would be twice what a batch may have."""
    folder, gguf = tmp_path / "hf", tmp_path / "gguf"
    folder.mkdir()
    gguf.mkdir()
    info = Random(RandomConfig(layers=1, width=32)).build(folder, BuildContext(folder=tmp_path, name="r", cache=tmp_path, seed=0))
    info = GgufQuantizer(GgufConfig(type="f32")).quantize(Model(folder, info), gguf, name="g")
    opened = LlamaCppEngine(LlamaCppConfig(batch=16, threads=1)).open(Model(gguf, info), seed=0)
    short, long = [f"Tom {number}" for number in range(16)], "b" * 900
    first, rooms = list(opened.generate(short, short, Decoding(max_tokens=2))), [llama_cpp.llama_n_ctx(opened.context)]
    for prompts in ([long], ["Tom"], short):
        again = list(opened.generate(prompts, prompts, Decoding(max_tokens=2)))
        rooms.append(llama_cpp.llama_n_ctx(opened.context))
    opened.close()
    assert rooms == [16 * 256, 1024, 1024, 16 * 256]
    assert again == first


def test_native_code_never_sees_a_gguf_that_our_reader_refuses(exports: dict[str, Model], tmp_path: Path) -> None:
    whole = next(exports["llama_cpp"].folder.glob("*.gguf")).read_bytes()
    (tmp_path / "model.gguf").write_bytes(whole[:16] + b"\xff" * 8 + whole[24:])  # 2^64 - 1 metadata keys
    with pytest.raises(StageFailed, match="keys"):
        LlamaCppEngine(LlamaCppConfig()).open(Model(tmp_path, ModelInfo(format="gguf", name="bad")), seed=0)


def test_a_folder_that_is_no_model_is_one_clear_error(tmp_path: Path) -> None:
    info = ModelInfo(format="onnx-genai", name="bad")
    with pytest.raises(StageFailed, match="onnxruntime-genai cannot load"):
        OnnxGenaiEngine(OnnxGenaiConfig()).open(Model(tmp_path, info), seed=0)
    with pytest.raises(StageFailed, match="0 GGUF files"):
        LlamaCppEngine(LlamaCppConfig()).open(Model(tmp_path, info), seed=0)


def test_nothing_is_printed(exports: dict[str, Model], capfd: pytest.CaptureFixture[str]) -> None:
    opened = LlamaCppEngine(LlamaCppConfig()).open(exports["llama_cpp"], seed=0)
    list(opened.generate(["a"], ["a"], Decoding(max_tokens=2)))
    opened.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["llama_cpp", "onnx_genai"])
def test_engines_open_where_the_system_does_not_say_which_cores(
    exports: dict[str, Model], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS and Windows have no sched_getaffinity."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    engine: Any = {"llama_cpp": LlamaCppEngine(LlamaCppConfig()), "onnx_genai": OnnxGenaiEngine(OnnxGenaiConfig())}[name]
    opened = engine.open(exports[name], seed=0)
    assert opened.token_ids("The cat")
    opened.close()
