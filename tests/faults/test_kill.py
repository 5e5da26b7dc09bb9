"""Resumed equals unkilled, byte for byte, wherever the kills came: the whole way of the grammar example."""

import shutil
from pathlib import Path

import pytest

from tests.faults.killing import kill_and_compare

EXAMPLE = Path(__file__).parents[2] / "examples" / "grammar"


def copied(folder: Path) -> Path:
    """The spec in a folder of its own: the bundle and the lock go beside it."""
    for path in EXAMPLE.iterdir():
        if path.is_file() and path.suffix in (".yaml", ".jsonl", ".csv", ".j2"):
            shutil.copy(path, folder)
    return folder / "distill.yaml"


def test_the_tiny_example_killed_at_twenty_random_moments_ends_as_without(tmp_path: Path) -> None:
    found = kill_and_compare(copied(tmp_path), tmp_path, options=["--profile", "tiny"], kills=20)
    assert found.differences == []


@pytest.mark.soak
def test_the_quick_example_killed_ten_times_ends_as_without(tmp_path: Path) -> None:
    found = kill_and_compare(copied(tmp_path), tmp_path, options=["--profile", "quick"], kills=10)
    assert found.differences == []
