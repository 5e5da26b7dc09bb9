"""A test set that stands in the training rows stops the run before anything is trained: one message, exit 5."""

import json
from pathlib import Path

import pytest

from distillc.runtimes.store import open_store
from tests.faults.killing import run

SPEC = """
distill: 1
name: leaky
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data:
  gold: {uses: jsonl, path: gold.jsonl}
  held: {uses: jsonl, path: held.jsonl, split: {by: row, validation: 0, test: 3}}
models:
  small: {uses: random, layers: 1, width: 32}
train:
  tuned: {model: small, data: gold, steps: 1, losses: {hard: cross_entropy}}
evaluate:
  test: {data: held, models: [small, tuned], metrics: [exact_match]}
"""


def lines(*texts: str) -> str:
    return "".join(json.dumps({"text": text, "fixed": f"{text} Done."}) + "\n" for text in texts)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    held = [f"Item {number} goes into the list." for number in range(4)]
    (tmp_path / "distill.yaml").write_text(SPEC)
    (tmp_path / "held.jsonl").write_text(lines(*held))
    (tmp_path / "gold.jsonl").write_text(lines("Nothing else.", *(text.upper() for text in held)))
    return tmp_path / "distill.yaml"


def test_a_leak_is_one_error_before_the_training(spec: Path, tmp_path: Path) -> None:
    found = run(spec, tmp_path / "store", [])
    assert found.returncode == 5
    assert "Traceback" not in found.stderr
    (error,) = [line for line in found.stderr.splitlines() if line.startswith("error:")]
    assert "tuned/overlap" in error
    assert "3 of 3 rows of the test set 'held.test' stand in the training rows of 'tuned', for example 'Item " in error
    assert "{from: gold, steps: [{uses: decontaminate, against: [held.test]}]}" in found.stderr
    assert "tuned" not in {one.stage for one in open_store(str(tmp_path / "store")).all()}


def test_its_way_out_leads_past_it(spec: Path, tmp_path: Path) -> None:
    way = "curate: {clean: {from: gold, steps: [{uses: decontaminate, against: [held.test]}]}}\ntrain:"
    spec.write_text(SPEC.replace("train:", way).replace("data: gold,", "data: clean,"))
    found = run(spec, tmp_path / "store", ["--until", "tuned/overlap"])
    assert (found.returncode, "error" in found.stderr) == (0, False)
