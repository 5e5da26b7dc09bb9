"""What an API told, as signals: values worked out by hand, an end token without any, and what is refused."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from distillc.plugins.api.artifacts import Row
from distillc.plugins.losses.configs import ForwardKLConfig, JSDConfig, ReverseKLConfig
from distillc.plugins.losses.forward_kl import ForwardKL
from distillc.plugins.losses.jsd import JSD
from distillc.plugins.losses.reverse_kl import ReverseKL
from distillc.runtimes.inference.logprobs import UNLIKELY, Candidate, pack
from distillc.runtimes.inference.token_bytes import TokenBytes
from distillc.runtimes.training.examples import Example
from distillc.runtimes.training.gathered import gather
from distillc.runtimes.training.signals import SignalHeader, Signals
from distillc.spec.errors import StageFailed

TOKENS = TokenBytes(6, {0: b"It", 1: b" goes", 2: b"He", 3: b" ", 4: b" \xf0\x9f"}, {}, {5: b"<end>"})
HEADER = SignalHeader(vocabulary=6, temperatures=(1.0,), mass=1.0, top_k=20, tokenizer="t", model="m", gathered=True)
EXAMPLE = Example("a", (3,), (0, 1, 5))


def row(*positions: list[tuple[bytes, float]], target: str = "It goes", by_text: bool = False) -> Row:
    packed = pack([[Candidate(token, math.log(p)) for token, p in position] for position in positions], by_text=by_text)
    return Row(row_id="a", payload={"target": target}, source="s", teacher="big", logprobs=packed)


TOLD = row([(b"It", 0.5), (b"He", 0.25), (b"??", 0.125)], [(b" goes", 0.25), (b" ", 0.5), (b"<end>", 0.125)])


def signals(folder: Path, told: Row, header: SignalHeader = HEADER) -> Signals:
    gather([told], "big", TOKENS, header).write(folder / "s.safetensors")
    return Signals(folder)


def test_tokens_become_ids_by_bytes_and_what_is_not_kept_is_the_tail(tmp_path: Path) -> None:
    found = signals(tmp_path, TOLD)
    assert found.targets("a") == (0, 1)
    read = found.read([EXAMPLE], 1.0)
    kept = [
        {int(token): round(float(value.exp()), 3) for token, value in zip(ids, values, strict=True) if value > float("-inf")}
        for ids, values in zip(read.ids, read.log_probs, strict=True)
    ]
    assert kept == [{0: 0.5, 2: 0.25}, {3: 0.5, 1: 0.25, 5: 0.125}, {}]
    assert read.tail.exp().tolist() == pytest.approx([0.25, 0.125, 1.0], abs=1e-3)
    assert found.mass(1.0) == pytest.approx((0.75 + 0.875) / 2, abs=1e-3)


def test_the_smallest_set_with_the_mass_is_kept(tmp_path: Path) -> None:
    read = signals(tmp_path, TOLD, replace(HEADER, mass=0.45)).read([EXAMPLE], 1.0)
    assert read.ids[:2].tolist() == [[0], [3]]
    assert read.tail.exp().tolist() == pytest.approx([0.5, 0.5, 1.0], abs=1e-3)


@pytest.mark.parametrize(
    "loss", [ForwardKL(ForwardKLConfig()), ReverseKL(ReverseKLConfig()), JSD(JSDConfig())], ids=lambda one: type(one).__name__
)
def test_of_the_end_token_each_loss_and_its_gradient_are_nothing(tmp_path: Path, loss: ForwardKL | ReverseKL | JSD) -> None:
    read = signals(tmp_path, TOLD).read([EXAMPLE], 1.0)
    logits = torch.randn(3, 6, generator=torch.Generator().manual_seed(0)).requires_grad_()
    nats = loss.per_token(logits, torch.tensor(EXAMPLE.answer), read)
    nats.sum().backward()
    assert logits.grad is not None
    assert float(nats[2].detach().abs()) < 1e-6
    assert float(logits.grad[2].abs().max()) == 0.0
    assert all(float(value) > 0 for value in nats[:2].detach())
    assert all(float(logits.grad[place].abs().max()) > 1e-3 for place in (0, 1))


def test_a_written_token_that_is_only_told_to_be_unlikely_is_in_the_tail(tmp_path: Path) -> None:
    """OpenAI tells -9999 of it. Kept are `He` and the bucket, a half each; a student that likes all six alike has 1/6 and 5/6 there."""
    written = [[Candidate(b"It", UNLIKELY), Candidate(b"He", math.log(0.5))], [Candidate(b" goes", math.log(0.5))]]
    told = replace(TOLD, logprobs=pack(written, by_text=False))
    found = signals(tmp_path, told)
    read = found.read([EXAMPLE], 1.0)
    assert found.targets("a") == (0, 1)
    assert (read.ids[0].tolist(), read.tail[:2].exp().tolist()) == ([2], pytest.approx([0.5, 0.5], abs=1e-3))
    nats = ReverseKL(ReverseKLConfig()).per_token(torch.zeros(3, 6), torch.tensor(EXAMPLE.answer), read)
    assert float(nats[0]) == pytest.approx(math.log(1 / 3) / 6 + 5 * math.log(5 / 3) / 6, abs=1e-3)


def test_a_text_that_two_tokens_share_is_not_kept(tmp_path: Path) -> None:
    told = row([(b"It", 0.5), (b" ", 0.25)], [(b" goes", 0.5)], by_text=True)
    assert signals(tmp_path, told).read([EXAMPLE], 1.0).ids[0].tolist() == [0]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (row([(b"It", 0.5)], [(b" goes", 0.5)], target="It went"), "spell 'It goes', and its target is 'It went'"),
        (row([(b"I", 0.5)], [(b"t", 0.5)], [(b" goes", 0.5)]), "has none of these bytes"),
        (row([(b"It", 0.75), (b"He", 0.5)], [(b" goes", 0.5)]), "sum to 1.250"),
        (replace(TOLD, teacher="other"), "no log-probabilities of `big`"),
        (replace(TOLD, logprobs=b""), "no log-probabilities of `big`"),
    ],
)
def test_what_cannot_be_learned_from_is_one_clear_error(told: Row, said: str) -> None:
    with pytest.raises(StageFailed, match=said) as failed:
        gather([told], "big", TOKENS, HEADER)
    assert failed.value.help


def test_signals_of_other_tokens_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="are for other tokens"):
        signals(tmp_path, TOLD).read([Example("a", (3,), (2, 1, 5))], 1.0)
