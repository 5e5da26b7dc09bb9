"""What users get wrong: each is one error with its place and the way out, no traceback, and a store that verifies."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SPEC = """\
distill: 1
name: bad
task: {kind: generate, input: text, target: fixed, prompt: "Fix: {{ text }}\\nFixed:"}
data:
  gold: {uses: jsonl, path: rows.jsonl}
models:
  start: {uses: random, layers: 1, width: 32}
train:
  tuned: {model: start, data: gold, steps: 3, batch: 4, losses: {hard: cross_entropy}}
quantize:
  q8: {uses: gguf, from: tuned}
"""


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write(SPEC)
        rows = [{"text": f"He go {i} .", "fixed": f"He goes {i}."} for i in range(8)]
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def write(self, text: str) -> None:
        (self.folder / "distill.yaml").write_text(text)

    def distillc(self, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
        program = f"import sys\n{before}\nfrom distillc.cli.main import main\nsys.exit(main({list(arguments)!r}))"
        return subprocess.run([sys.executable, "-c", program], cwd=self.folder, capture_output=True, text=True, check=False)

    def refuses(self, *arguments: str, code: int, said: tuple[str, ...], before: str = "") -> None:
        done = self.distillc("run", *arguments, "--store", "store", before=before)
        told = done.stdout + done.stderr
        assert done.returncode == code, told
        for part in said:
            assert part in told
        assert told.count("error") == 1, told
        assert "Traceback" not in told
        if code == 5:  # a spec that is refused leaves no store behind
            verified = self.distillc("verify", "--store", "store")
            assert verified.returncode == 0, verified.stdout + verified.stderr
        else:
            assert not (self.folder / "store").exists()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_spec_that_is_not_there(project: Project) -> None:
    project.refuses("distil.yaml", code=2, said=("distil.yaml", "distill.yaml"))


def test_a_data_file_that_is_not_there_is_named_where_the_spec_asks_for_it(project: Project) -> None:
    (project.folder / "rows.jsonl").unlink()
    project.refuses("distill.yaml", code=2, said=("distill.yaml:5:", "rows.jsonl"))


def test_an_unknown_plugin_and_the_one_that_was_meant(project: Project) -> None:
    project.write(SPEC.replace("uses: jsonl", "uses: jsnol"))
    project.refuses("distill.yaml", code=2, said=("distill.yaml:5:16", "jsnol", "did you mean `jsonl`?"))


def test_a_missing_extra_is_named_before_anything_runs(project: Project) -> None:
    project.refuses(
        "distill.yaml",
        code=2,
        said=("distill.yaml:11:", "llama_cpp", "pip install 'distillc[local]'"),
        before="sys.modules['llama_cpp'] = None",  # as if it were not installed
    )


def test_a_model_folder_without_a_tokenizer(project: Project) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1
    )
    LlamaForCausalLM(config).save_pretrained(project.folder / "weights")
    project.write(SPEC.replace("{uses: random, layers: 1, width: 32}", "{uses: transformers, path: weights}"))
    project.refuses("distill.yaml", "--until", "start", code=5, said=("start", "tokenizer.json"))


def test_an_empty_data_set(project: Project) -> None:
    (project.folder / "rows.jsonl").write_text("")
    project.refuses("distill.yaml", code=5, said=("gold", "rows.jsonl"))


def test_a_loss_that_is_no_longer_a_number(project: Project) -> None:
    project.write(SPEC.replace("steps: 3,", "steps: 3, learning_rate: 1.0e+30, warmup: 0,"))
    project.refuses("distill.yaml", "--until", "tuned", code=5, said=("tuned", "no longer a number", "learning_rate"))
