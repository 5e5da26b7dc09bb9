"""SIGKILL at random moments: what is left at the end is, byte for byte, what an unbroken run leaves."""

import shutil
from pathlib import Path

import pytest

from tests.faults.killing import kill_and_compare

EXAMPLE = Path(__file__).parents[2] / "examples" / "grammar"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    folder = tmp_path / "grammar"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("dist", ".distillc", "distill.lock"))
    return folder / "distill.yaml"


def test_the_tiny_profile_killed_twenty_times_ends_as_without(spec: Path, tmp_path: Path) -> None:
    found = kill_and_compare(spec, tmp_path, options=["--profile", "tiny"], kills=20)
    assert found.kills >= 20
    assert found.differences == []


@pytest.mark.soak
def test_the_quick_profile_killed_ten_times_ends_as_without(spec: Path, tmp_path: Path) -> None:
    found = kill_and_compare(spec, tmp_path, options=["--profile", "quick"], kills=10)
    assert found.kills >= 10
    assert found.differences == []
