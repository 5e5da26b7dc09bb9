"""The tutorial is true: its script makes the rows, its spec is accepted, and lint and plan say what the page shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from distillc.cli.main import main

PAGE = (Path(__file__).parents[3] / "docs" / "tutorial.md").read_text(encoding="utf-8")


def block(start: str) -> str:
    found = re.search(rf"^```{re.escape(start)}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DISTILLC_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    subprocess.run([sys.executable, "-c", block("python")], cwd=tmp_path, check=True)
    (tmp_path / "distill.yaml").write_text(block("yaml"), encoding="utf-8")
    return tmp_path


def test_the_first_row_and_both_answers_of_lint_are_as_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"`{(folder / 'pairs.jsonl').read_text().splitlines()[0]}`" in PAGE
    assert main(["lint"]) == 0
    assert f"$ distillc lint\n{capsys.readouterr().out}```" in PAGE
    (folder / "distill.yaml").write_text(block("yaml").replace("data: answers", "data: answer"), encoding="utf-8")
    assert main(["lint"]) == 1
    assert f"$ distillc lint\n{capsys.readouterr().out}```" in PAGE


def test_the_plan_is_as_shown_but_for_the_lines_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--profile", "try"]) == 0
    lines = capsys.readouterr().out.splitlines()
    shown = block("\n$ distillc plan --profile try").splitlines()
    places = [lines.index(line) for line in shown if line != "…"]
    assert places == sorted(places)
    assert lines[-1] == shown[-1]


def test_the_real_spec_has_a_plan(folder: Path) -> None:
    assert main(["plan", "--format", "json"]) == 0
