"""Signals: what is kept, what comes back at each temperature, and what is refused."""

from pathlib import Path

import pytest
import torch

from distillc.runtimes.training.examples import Example
from distillc.runtimes.training.signals import SignalHeader, Signals, SignalWriter
from distillc.spec.errors import StageFailed

HEADER = SignalHeader(vocabulary=50, temperatures=(1.0, 2.0), mass=0.9, top_k=8, tokenizer="t", model="m")
EXAMPLES = [Example("a", (1, 2), (3, 4, 5)), Example("b", (1,), (6, 7))]


def log_probs(tokens: int, seed: int) -> torch.Tensor:
    return (torch.randn(tokens, 50, generator=torch.Generator().manual_seed(seed)) * 3).log_softmax(1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    writer = SignalWriter(HEADER)
    for seed, example in enumerate(EXAMPLES):
        writer.add(example.row_id, example.answer, log_probs(len(example.answer), seed))
    writer.write(tmp_path / "signals-00000.safetensors")
    return tmp_path


def test_the_smallest_set_with_the_mass_is_kept(tmp_path: Path) -> None:
    writer = SignalWriter(HEADER)
    writer.add("a", (0,), torch.tensor([[0.6, 0.25, 0.1, 0.05] + [0.0] * 46]).log())
    writer.write(tmp_path / "s.safetensors")
    found = Signals(tmp_path).read([Example("a", (1,), (0,))], 1.0)
    assert found.ids[0].tolist() == [0, 1, 2]  # 0.6 + 0.25 is below 0.9; with 0.1 it is above
    assert found.log_probs[0].exp().tolist() == pytest.approx([0.6, 0.25, 0.1], abs=2e-3)
    assert found.tail.exp().tolist() == pytest.approx([0.05], abs=1e-3)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_the_distribution_at_a_temperature_is_the_dense_one_over_kept_ids_and_a_bucket(folder: Path, temperature: float) -> None:
    found = Signals(folder).read([EXAMPLES[1], EXAMPLES[0]], temperature)
    dense = (torch.cat([log_probs(2, 1), log_probs(3, 0)]) / temperature).log_softmax(1)
    kept = found.log_probs > float("-inf")
    expected = dense.gather(1, found.ids)
    assert torch.allclose(found.log_probs[kept], expected[kept], atol=5e-3)  # float16
    total = found.log_probs.exp().sum(1) + found.tail.exp()
    assert torch.allclose(total, torch.ones(5), atol=1e-6)


def test_mass_is_what_the_kept_ids_hold(folder: Path) -> None:
    signals = Signals(folder)
    assert len(signals) == 2
    for temperature in (1.0, 2.0):
        read = signals.read(EXAMPLES, temperature)
        assert signals.mass(temperature) == pytest.approx(float(read.log_probs.exp().sum(1).mean()), abs=1e-4)


def test_the_same_rows_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    writer = SignalWriter(HEADER)
    for seed, example in enumerate(EXAMPLES):
        writer.add(example.row_id, example.answer, log_probs(len(example.answer), seed))
    writer.write(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (folder / "signals-00000.safetensors").read_bytes()


def test_a_temperature_off_the_grid_is_refused(folder: Path) -> None:
    with pytest.raises(StageFailed, match=r"no signals at temperature 3"):
        Signals(folder).read(EXAMPLES, 3.0)


def test_other_targets_are_refused(folder: Path) -> None:
    with pytest.raises(StageFailed, match="other tokens"):
        Signals(folder).read([Example("a", (1, 2), (3, 4, 6))], 1.0)


def test_a_row_without_signals_is_refused(folder: Path) -> None:
    with pytest.raises(StageFailed, match="no signals for row c"):
        Signals(folder).read([Example("c", (1, 2), (3,))], 1.0)
