"""Pruning: which layers stay, and that they are the teacher's."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from distillc.plugins.api.artifacts import Model
from distillc.plugins.api.models import BuildContext
from distillc.plugins.students.configs import PruneConfig
from distillc.plugins.students.prune import Prune, spread
from distillc.runtimes.inference.loading import load_model
from distillc.spec.errors import StageFailed


def context(folder: Path) -> BuildContext:
    return BuildContext(folder=folder, name="small", cache=folder, seed=0)


@pytest.mark.parametrize(
    ("layers", "of", "kept"),
    [(12, 30, [0, 1, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29]), (2, 2, [0, 1]), (1, 2, [0]), (4, 6, [0, 1, 2, 5]), (30, 30, list(range(30)))],
)
def test_the_first_three_stay_and_the_rest_is_thinned_up_to_the_last(layers: int, of: int, kept: list[int]) -> None:
    assert spread(layers, of) == kept


def test_what_stays_is_the_teachers_and_loads(tiny_model: Model, tmp_path: Path) -> None:
    info = Prune(PruneConfig(layers=1, keep=(1,))).build(tiny_model, tmp_path, context(tmp_path))
    before, after = load_file(tiny_model.folder / "model.safetensors"), load_file(tmp_path / "model.safetensors")
    for name, values in after.items():
        assert torch.equal(values, before[name.replace("layers.0.", "layers.1.")]), name
    model = load_model(tmp_path)
    assert len(model.model.layers) == 1
    assert info.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert info.base == "tiny"
    assert (tmp_path / "tokenizer.json").read_bytes() == (tiny_model.folder / "tokenizer.json").read_bytes()


@pytest.mark.parametrize("config", [PruneConfig(layers=3), PruneConfig(layers=1, keep=(2,)), PruneConfig(layers=2, keep=(0, 0))])
def test_layers_that_are_not_there_are_refused(tiny_model: Model, tmp_path: Path, config: PruneConfig) -> None:
    with pytest.raises(StageFailed):
        Prune(config).build(tiny_model, tmp_path, context(tmp_path))


def test_weights_in_bfloat16_stay_as_they_are(tiny_model: Model, tmp_path: Path) -> None:
    """Most models are published so, and numpy has no such type."""
    given, out = tmp_path / "given", tmp_path / "out"
    shutil.copytree(tiny_model.folder, given)
    out.mkdir()
    weights = {name: values.bfloat16() for name, values in load_file(given / "model.safetensors").items()}
    save_file(weights, given / "model.safetensors", metadata={"format": "pt"})
    Prune(PruneConfig(layers=1)).build(Model(given, tiny_model.info), out, context(tmp_path))
    kept = load_file(out / "model.safetensors")
    assert torch.equal(kept["model.norm.weight"], weights["model.norm.weight"])
    assert kept["model.norm.weight"].dtype is torch.bfloat16
