"""The grammar example on random weights: every stage and every layer for real, once a session of tests."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "grammar"


@dataclass(frozen=True)
class Place:
    """A copy of the example with a store of its own."""

    folder: Path
    environment: dict[str, str]

    def distillc(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "distillc.cli.main", *arguments],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def run(self, *options: str) -> dict[str, Any]:
        done = self.distillc("run", "distill.yaml", "--profile", "tiny", "--format", "json", *options)
        assert done.returncode == 0, done.stderr
        outcome: dict[str, Any] = json.loads(done.stdout)
        return outcome

    def to_run(self, *options: str) -> set[str]:
        """The stages that a plan says are not there yet."""
        done = self.distillc("plan", "distill.yaml", "--profile", "tiny", "--format", "json", *options)
        assert done.returncode == 0, done.stderr
        sealed = {path.name for path in (self.folder / "store" / "manifests").iterdir()}
        return {stage["id"] for stage in json.loads(done.stdout)["stages"] if stage["key"] not in sealed}


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("grammar") / "example"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("dist", ".distillc", "distill.lock"))
    return Place(folder, {**os.environ, "DISTILLC_STORE": str(folder / "store")})


@pytest.fixture(scope="session")
def first(place: Place) -> subprocess.CompletedProcess[str]:
    return place.distillc("run", "distill.yaml", "--profile", "tiny")


@pytest.fixture
def bundle(first: subprocess.CompletedProcess[str]) -> Path:
    assert first.returncode == 0, first.stderr
    return Path(first.stdout.splitlines()[-1])


def test_the_last_line_is_the_bundle_and_the_table_stands_before_it(
    first: subprocess.CompletedProcess[str], bundle: Path, place: Place
) -> None:
    assert bundle == place.folder / "dist"
    table = first.stdout
    for system in ("as_is", "rules", "smollm2", "teacher", "small", "gold", "refined", "q8", "int4"):
        assert f"\n  {system} " in table
    assert (bundle / "report.html").stat().st_size > 10_000


def test_verify_accepts_the_bundle_and_the_store_and_sees_one_changed_byte(bundle: Path, place: Place, tmp_path: Path) -> None:
    assert place.distillc("verify", str(bundle)).returncode == 0
    assert place.distillc("verify").returncode == 0
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    card = bytearray((copy / "MODEL_CARD.md").read_bytes())
    card[len(card) // 2] ^= 1
    (copy / "MODEL_CARD.md").write_bytes(card)
    refused = place.distillc("verify", str(copy))
    assert refused.returncode == 1
    assert "MODEL_CARD.md" in refused.stdout + refused.stderr


def test_llama_cpp_loads_the_gguf(bundle: Path) -> None:
    import llama_cpp

    [path] = (bundle / "models" / "q8").glob("*.gguf")
    model = llama_cpp.Llama(str(path), n_ctx=128, verbose=False)
    answer: Any = model.create_completion("Correct: It work.\nFixed:", max_tokens=4, temperature=0)
    assert answer["usage"]["completion_tokens"] > 0


def test_onnxruntime_genai_loads_the_onnx_model(bundle: Path) -> None:
    import onnxruntime_genai

    genai: Any = onnxruntime_genai  # its names come from native code, which type checkers cannot see
    model = genai.Model(str(bundle / "models" / "int4"))
    generator = genai.Generator(model, genai.GeneratorParams(model))
    generator.append_tokens(genai.Tokenizer(model).encode("Correct: It work.\nFixed:"))
    generator.generate_next_token()
    assert generator.token_count() > 0


def test_a_second_run_does_nothing(first: subprocess.CompletedProcess[str], place: Place) -> None:
    assert first.returncode == 0, first.stderr
    assert place.to_run() == set()
    again = place.run()
    assert set(again["stages"].values()) == {"kept"}


def test_one_field_re_runs_what_hangs_on_it_and_why_names_it(first: subprocess.CompletedProcess[str], place: Place) -> None:
    assert first.returncode == 0, first.stderr
    change = ("--set", "evaluate.test.gates.close.margin=0.1")
    # The gate, the other gate of its family (Holm: each one's level hangs on all), the report that shows them, and the bundle that
    # contains the report: worked out by hand from the spec.
    assert place.to_run(*change) == {"better", "close", "test/report", "edge"}
    why = place.distillc("why", "distill.yaml", "--profile", "tiny", *change)
    assert "margin 0.05 -> 0.1" in why.stdout
    states = place.run(*change)["stages"]
    assert {stage for stage, state in states.items() if state == "sealed"} == {"better", "close", "test/report", "edge"}


def test_a_changed_hyperparameter_leaves_the_teacher_and_its_answers_alone(first: subprocess.CompletedProcess[str], place: Place) -> None:
    assert first.returncode == 0, first.stderr
    stale = place.to_run("--set", "train.student.learning_rate=0.0123")
    assert {"student", "refined", "q8", "int4", "test/q8/seen", "test", "better", "edge"} <= stale
    assert not stale & {"prose", "pairs", "teacher", "answers", "clean", "student/capture", "gold", "test/gold/seen", "test/teacher/seen"}


def test_a_third_party_loss_metric_and_target_run(first: subprocess.CompletedProcess[str], place: Place) -> None:
    """`examples/plugin`, installed as a distribution of its own: its loss trains, its metric is in the table, its target delivers."""
    assert first.returncode == 0, first.stderr
    loss = place.run("--until", "student", "--set", "train.student.losses.soft={uses: total_variation, teacher: teacher, temperature: 2}")
    assert loss["stages"]["student"] == "sealed"
    both = place.run(
        "--set", "evaluate.test.metrics=[exact_match, errant, word_error_rate]",
        "--set", "deploy.edge={uses: zip, from: q8, path: zipped/}",
    )  # fmt: skip
    row = next(row for row in both["report"]["rows"] if row["name"] == "as_is")
    assert row["metrics"]["word_error_rate"]["n"] == 12
    [delivered] = both["bundles"]
    assert list(Path(delivered).rglob("*.zip"))
