"""Checkpoints: the newest whole one counts, a torn one does not."""

from pathlib import Path

import pytest
import torch

from distillc.runtimes.training.checkpoints import Checkpoint, latest, save


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint(step, {"w": torch.full((3,), float(step))}, {"w.exp_avg": torch.ones(3)}, {"step": step})


def test_the_newest_comes_back_and_older_ones_go(tmp_path: Path) -> None:
    save(tmp_path, checkpoint(1))
    save(tmp_path, checkpoint(2))
    found = latest(tmp_path)
    assert found is not None
    assert (found.step, found.state, found.weights["w"].tolist()) == (2, {"step": 2}, [2.0, 2.0, 2.0])
    assert [path.name for path in tmp_path.iterdir()] == ["step-000002"]


@pytest.mark.parametrize("torn", ["complete.json", "optimizer.safetensors"])
def test_a_torn_one_is_as_if_it_were_not_there(tmp_path: Path, torn: str) -> None:
    save(tmp_path, checkpoint(1))
    (tmp_path / "step-000001").rename(tmp_path / "kept")
    save(tmp_path, checkpoint(2))
    (tmp_path / "kept").rename(tmp_path / "step-000001")
    (tmp_path / "step-000002" / torn).write_bytes(b"{")
    found = latest(tmp_path)
    assert found is not None
    assert found.step == 1
