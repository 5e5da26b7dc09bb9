"""Checkpoints that a kill at any moment leaves usable: safetensors and JSON, and a marker that is written last.

A folder `step-000120` without its marker, or whose files are not as long as the marker says, is as if it were not there.
"""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

_MARKER = "complete.json"
_FOLDER = re.compile(r"step-(\d+)")


@dataclass(frozen=True)
class Checkpoint:
    """`weights` by parameter name, `optimizer` by `NAME.field`, `state` plain JSON."""

    step: int
    weights: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    state: dict[str, Any]


def save(work: Path, checkpoint: Checkpoint) -> None:
    """Writes it, then removes the older ones."""
    folder = work / f"step-{checkpoint.step:06}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    save_file(checkpoint.weights, folder / "weights.safetensors")
    save_file(checkpoint.optimizer, folder / "optimizer.safetensors")
    (folder / "state.json").write_text(json.dumps(checkpoint.state, sort_keys=True), encoding="utf-8")
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    (folder / _MARKER).write_text(json.dumps(sizes), encoding="utf-8")
    for step, other in _folders(work):
        if step != checkpoint.step:
            shutil.rmtree(other, ignore_errors=True)


def latest(work: Path) -> Checkpoint | None:
    """The newest complete one."""
    for step, folder in reversed(_folders(work)):
        if _complete(folder):
            state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
            return Checkpoint(step, load_file(folder / "weights.safetensors"), load_file(folder / "optimizer.safetensors"), state)
    return None


def save_best(work: Path, step: int, weights: Mapping[str, Tensor]) -> None:
    """Keeps the weights of the best evaluation so far beside the checkpoints; the checkpoint's state says which step that is."""
    save_file(dict(weights), work / f"best-{step:06}.safetensors")


def load_best(work: Path, step: int) -> dict[str, Tensor]:
    found: dict[str, Tensor] = load_file(work / f"best-{step:06}.safetensors")
    return found


def drop_best_but(work: Path, step: int | None) -> None:
    """Removes what no checkpoint refers to any more."""
    for path in work.glob("best-*.safetensors"):
        if step is None or path.name != f"best-{step:06}.safetensors":
            path.unlink()


def _folders(work: Path) -> list[tuple[int, Path]]:
    if not work.is_dir():
        return []
    return sorted((int(match[1]), path) for path in work.iterdir() if (match := _FOLDER.fullmatch(path.name)))


def _complete(folder: Path) -> bool:
    try:
        sizes: dict[str, int] = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False
