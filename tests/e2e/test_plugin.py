"""A third party's distribution, `examples/plugin`, is installed: distillc lists it, lints and plans with it, and it computes what it says.

The expected values are worked out by hand.
"""

import json
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distillc.plugins.api.artifacts import Model, ModelInfo
from distillc.plugins.api.metrics import Item
from distillc.plugins.api.targets import Delivery
from distillc.plugins.registry import Registry, load

SPEC = """\
distill: 1
name: third
task: {kind: generate, input: text, target: fixed, prompt: "Fix: {{ text }}\\nFixed:"}
data:
  gold: {uses: jsonl, path: rows.jsonl, split: {by: row, validation: 2, test: 6}}
generate:
  answers: {from: gold, steps: [{uses: answer, model: teacher}]}
models:
  start: {uses: random, layers: 2, width: 64}
  small: {uses: prune, from: teacher, layers: 1}
  as_is: identity
train:
  teacher: {model: start, data: gold, losses: {hard: cross_entropy}}
  student: {model: small, data: answers, losses: {soft: {uses: total_variation, teacher: teacher, temperature: 2}}}
quantize:
  q8: {uses: gguf, from: student}
evaluate:
  test: {data: gold.test, models: [as_is, teacher, student, q8], metrics: [{uses: word_error_rate, case: false}],
         gates: {fewer: {model: q8, metric: word_error_rate, against: as_is}}}
deploy:
  file: {uses: zip, from: q8, path: out/, compress: true, needs: fewer}
"""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load()


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    rows = [{"text": f"He go {i}", "fixed": f"He goes {i}"} for i in range(16)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "distill.yaml"
    path.write_text(SPEC)
    return path


def distillc(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "distillc.cli.main", *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def test_it_is_a_distribution_of_its_own() -> None:
    assert metadata.version("distillc-example") == "0.1.0"
    names = {point.name: point.dist.name for point in metadata.entry_points(group="distillc") if point.dist}
    assert names == {"builtin": "distillc", "example": "distillc-example"}


def test_distillc_plugins_lists_them() -> None:
    done = distillc("plugins", "--format", "json")
    assert done.returncode == 0, done.stderr
    listed = {(entry["kind"], entry["name"]): entry for entry in json.loads(done.stdout) if entry["distribution"] == "distillc-example"}
    assert set(listed) == {("losses", "total_variation"), ("metrics", "word_error_rate"), ("targets", "zip")}
    assert all(entry["version"] == "0.1.0" and entry["error"] is None and entry["missing"] == [] for entry in listed.values())


def test_a_spec_that_uses_all_three_lints(spec: Path) -> None:
    done = distillc("lint", str(spec))
    assert (done.returncode, done.stdout) == (0, "nothing wrong in 1 file\n"), done.stdout + done.stderr


def test_a_typo_in_a_third_partys_option_is_found_with_its_place(spec: Path) -> None:
    spec.write_text(SPEC.replace("compress: true", "compres: true"))
    done = distillc("lint", str(spec), "--format", "json")
    (finding,) = json.loads(done.stdout)
    assert done.returncode == 1
    assert (finding["line"], finding["code"]) == (21, "D101")
    assert "compress" in finding["help"]


def test_the_plan_has_their_stages_and_pins_their_version(spec: Path) -> None:
    done = distillc("plan", str(spec), "--format", "json")
    assert done.returncode == 0, done.stderr
    stages = {stage["id"]: stage for stage in json.loads(done.stdout)["stages"]}
    assert stages["student"]["config"]["losses"]["soft"]["uses"] == "total_variation"
    assert "student/capture" in stages, "the manifest says that signals are needed"
    assert stages["test"]["config"]["metrics"] == [{"uses": "word_error_rate", "case": False}]
    assert stages["fewer"]["config"]["higher_is_better"] is False
    assert (stages["file"]["kind"], stages["file"]["uses"], stages["file"]["config"]["compress"]) == ("bundle", "zip", True)


def test_without_third_parties_the_same_spec_names_what_is_missing(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILLC_PLUGINS", "")
    done = distillc("lint", str(spec))
    assert done.returncode == 1
    assert all(name in done.stdout for name in ("total_variation", "word_error_rate", "zip"))


def make(registry: Registry, kind: str, name: str, **config: Any) -> Any:
    return registry.implementation(kind, name)(registry.config_class(kind, name)(**config))


def test_the_loss_is_half_the_absolute_difference(registry: Registry) -> None:
    import torch

    from distillc.plugins.api.losses import TeacherLogProbs

    # Teacher keeps ids 0 and 1 of four with 0.5 and 0.3; student has 0.2, 0.5, 0.2, 0.1: ½ (0.3 + 0.2 + |0.2 − 0.3|) = 0.3.
    # Second token: equal to the teacher, id 2 with 0.9 and padding: 0. Third: nothing in common: 1.
    student = torch.tensor([[0.2, 0.5, 0.2, 0.1], [0.04, 0.03, 0.9, 0.03], [0.0, 0.0, 0.0, 1.0]], dtype=torch.float64)
    teacher = TeacherLogProbs(
        ids=torch.tensor([[0, 1], [2, 0], [0, 1]]),
        log_probs=torch.tensor([[0.5, 0.3], [0.9, 0.0], [0.6, 0.4]], dtype=torch.float64).log(),
        tail=torch.tensor([0.2, 0.1, 0.0], dtype=torch.float64).log(),
    )
    values = make(registry, "losses", "total_variation").per_token(student.log(), torch.zeros(3, dtype=torch.long), teacher)
    assert values.tolist() == pytest.approx([0.3, 0.0, 1.0], abs=1e-12)


def test_the_loss_softens_the_student_by_the_temperature(registry: Registry) -> None:
    import torch

    from distillc.plugins.api.losses import TeacherLogProbs

    # Logits ln 9 and 0 at temperature 2 are ln 3 and 0: 0.75 and 0.25, against 0.5 and 0.5.
    teacher = TeacherLogProbs(torch.tensor([[0, 1]]), torch.tensor([[0.5, 0.5]]).log(), torch.tensor([0.0]).log())
    logits = torch.tensor([[9.0, 1.0]]).log().requires_grad_()
    value = make(registry, "losses", "total_variation", temperature=2).per_token(logits, torch.tensor([0]), teacher)
    assert value.tolist() == pytest.approx([0.25])
    value.sum().backward()
    assert logits.grad is not None and logits.grad[0, 0] > 0 > logits.grad[0, 1], "the likelier token is pushed down"


def test_the_metric_counts_word_edits_against_the_nearest_reference(registry: Registry) -> None:
    metric = make(registry, "metrics", "word_error_rate")
    items = [
        Item("a", "", "the cat sat", ("the cat sat down", "a dog")),  # one word is missing of four: 1/4 beats 3/2
        Item("b", "", "he go to to school", ("he goes to school",)),  # one other word, one too many
        Item("c", "", "", ("two words",)),
    ]
    statistics = metric.statistics(items)
    assert statistics.tolist() == [[1, 4], [2, 4], [2, 2]]
    assert metric.aggregate(statistics.sum(axis=0), np.asarray(3.0))[""] == 0.5
    draws = metric.aggregate(np.array([[1.0, 4.0], [4.0, 2.0]]), np.array([1.0, 2.0]))
    assert draws[""].tolist() == [0.25, 2.0]


def test_the_target_writes_one_file_that_is_the_same_each_time(registry: Registry, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "m.gguf").write_bytes(b"GGUF" * 100)
    (tmp_path / "report.html").touch()
    delivery = Delivery(
        name="x",
        spec_text="",
        exports={"q8": Model(weights, ModelInfo(format="gguf", name="q8"))},
        evaluation={"run": {}, "rows": [], "gates": []},
        report=tmp_path / "report.html",
        lock="",
        lineage=(),
        data=(),
    )
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        facts = make(registry, "targets", "zip", compress=True).deliver(delivery, tmp_path / name)
        made.append((tmp_path / name / facts["file"]).read_bytes())
    assert made[0] == made[1]
    with zipfile.ZipFile(tmp_path / "one" / "student.zip") as archive:
        assert archive.namelist() == ["evaluation.json", "q8/m.gguf"]
        assert archive.read("q8/m.gguf") == b"GGUF" * 100
