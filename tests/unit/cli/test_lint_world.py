"""`lint` says how many rules wait for facts, and `lint --world` reads them and pins them for the next `lint`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from distillc.cli.main import main

SPEC = """\
distill: 1
name: small
task: {kind: generate, input: text, target: fixed, prompt: "Correct: {{ text }}\\nFixed:"}
data: {pairs: {uses: jsonl, path: pairs.jsonl, split: {test: 1}}}
models:
  base: {uses: transformers, path: base, family: llama, license: MIT}
  small: {uses: prune, from: base, layers: %d}
train:
  student: {model: small, data: pairs, losses: {hard: cross_entropy}}
evaluate:
  test: {data: pairs, models: [base, small, student], metrics: [exact_match]}
profiles:
  tiny: {models.small.layers: 1}
"""
WAITS = "; 4 rules wait for facts: run `distillc lint --world` or `distillc plan`"  # layers twice, the context, the architecture
HEAVY = ("pydantic", "pluggy", "jinja2", "importlib.metadata", "tomllib", "jsonschema", "rich", "ruamel", "numpy", "torch")


@pytest.fixture
def spec(tmp_path, monkeypatch):
    """A spec whose model has four layers, in a folder of its own; `spec(6)` keeps six of them."""
    monkeypatch.chdir(tmp_path)
    Path("pairs.jsonl").write_text('{"text": "a", "fixed": "b"}\n' * 4, encoding="utf-8")
    Path("base").mkdir()
    Path("base/config.json").write_text('{"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 4}', encoding="utf-8")

    def write(layers):
        Path("distill.yaml").write_text(SPEC % layers, encoding="utf-8")

    return write


def said(capsys) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def found(capsys) -> list[str]:
    return [finding["code"] for finding in json.loads(capsys.readouterr().out)]


def test_rules_that_need_a_fact_wait_for_it(spec, capsys):
    spec(6)
    assert main(["lint", "distill.yaml"]) == 0
    assert said(capsys) == "nothing wrong in 1 file" + WAITS


def test_the_world_knows_and_the_lock_remembers(spec, capsys):
    spec(6)
    assert main(["lint", "--world", "--format", "json", "distill.yaml"]) == 1
    assert found(capsys) == ["D553"]
    assert main(["lint", "--format", "json", "distill.yaml"]) == 1  # the profile was fine, and is pinned
    assert found(capsys) == ["D553"]


def test_a_lock_that_knows_another_file_leaves_the_rule_waiting(spec, capsys):
    spec(2)
    assert main(["lint", "--world", "distill.yaml"]) == 0
    assert said(capsys) == "nothing wrong in 1 file"
    Path("distill.yaml").write_text((SPEC % 6).replace("path: base", "path: other"), encoding="utf-8")
    assert main(["lint", "distill.yaml"]) == 0
    assert said(capsys) == "nothing wrong in 1 file" + WAITS


def test_what_the_plan_finds_the_world_finds(spec, capsys):
    spec(2)
    Path("pairs.jsonl").unlink()
    assert main(["lint", "distill.yaml"]) == 0
    capsys.readouterr()
    assert main(["lint", "--world", "--format", "json", "distill.yaml"]) == 1
    assert found(capsys) == ["D153"]
    assert not Path("distill.lock").exists()


def test_what_is_tried_with_set_is_not_pinned(spec):
    spec(2)
    assert main(["lint", "--world", "--set", "models.small.layers=3", "distill.yaml"]) == 0
    assert not Path("distill.lock").exists()


def test_the_world_is_not_asked_while_a_spec_is_mended(spec, capsys):
    spec(2)
    assert main(["lint", "--world", "--fix", "distill.yaml"]) == 2


def test_a_whole_lint_with_a_lock_loads_nothing_heavy(spec):
    spec(2)
    main(["lint", "--world", "distill.yaml"])
    script = (
        f"import sys\nfrom distillc.cli.main import main\nmain(['lint', 'distill.yaml'])\nprint([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["nothing wrong in 1 file", "[]"]
