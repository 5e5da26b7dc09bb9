"""A bundle holds the exports and their proof, says what is owed, and is the same each time."""

import dataclasses
import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from distillc.plugins.api.artifacts import Model, ModelInfo, Task
from distillc.plugins.api.targets import Delivery
from distillc.plugins.targets.bundle.card import model_card
from distillc.plugins.targets.bundle.target import BundleTarget
from distillc.plugins.targets.configs import BundleConfig
from distillc.runtimes.bundle import verify_bundle
from distillc.spec.errors import StageFailed


def make(delivery: Delivery, out: Path, **config: Any) -> Path:
    out.mkdir()
    BundleTarget(BundleConfig(**config)).deliver(delivery, out)
    return out


def test_a_bundle_verifies_and_has_every_part(delivery: Delivery, tmp_path: Path) -> None:
    out = make(delivery, tmp_path / "out")
    assert verify_bundle(out) == []
    present = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert present >= {
        "MODEL_CARD.md", "NOTICE", "LICENSES/Apache-2.0.txt", "LICENSES/pytest-LICENSE.txt", "SHA256SUMS", "bom.cdx.json", "distill.lock",
        "distill.yaml", "evaluation.json", "golden.jsonl", "models/int4/deep/genai_config.json", "models/int4/model.onnx",
        "models/q8/student.gguf", "report.html", "serve/README.md", "serve/q8.Modelfile", "serve/q8-llama-server.sh", "serve/int4-onnx.py",
    }  # fmt: skip
    assert json.loads((out / "evaluation.json").read_text()) == delivery.evaluation


def test_sha256sum_reads_the_checksums(delivery: Delivery, tmp_path: Path) -> None:
    out = make(delivery, tmp_path / "out")
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=out, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_same_delivery_gives_the_same_bytes(delivery: Delivery, tmp_path: Path) -> None:
    sums = [(make(delivery, tmp_path / name) / "SHA256SUMS").read_bytes() for name in ("one", "two")]
    assert sums[0] == sums[1]


def test_the_notice_says_what_each_license_asks(delivery: Delivery, tmp_path: Path) -> None:
    notice = (make(delivery, tmp_path / "out") / "NOTICE").read_text()
    assert (
        "smollm2, license: Apache-2.0\n    - give recipients a copy of the license\n    - say prominently that files were changed" in notice
    )
    assert "strange, license: not stated\n    - not stated: find the license" in notice


def test_the_card_has_hub_metadata_and_intervals_with_n(delivery: Delivery, tmp_path: Path) -> None:
    card = (make(delivery, tmp_path / "out", limits="Not for *legal* texts") / "MODEL_CARD.md").read_text()
    meta = yaml.safe_load(card.split("---\n")[1])
    assert (meta["license"], meta["base_model"], meta["pipeline_tag"]) == ("apache-2.0", ["pkg://pytest/x.gguf"], "text-generation")
    metric = meta["model-index"][0]["results"][0]["metrics"][0]
    assert metric == {"type": "errant_f0.5", "name": "errant_f0.5 (n=120, 95% [0.385, 0.497])", "value": 0.4412}
    assert "| q8 | student | 0.441 [0.385, 0.497] | 120 | 77.0 MB | 171 | 374 | 402 |" in card
    assert "The gate `close` did not pass: fail." in card
    assert r"Not for \*legal\* texts" in card


def test_the_card_says_what_was_set_beside_the_specs_text(delivery: Delivery, tmp_path: Path) -> None:
    run = {**delivery.evaluation["run"], "profile": "quick", "overrides": ["train.student.epochs=1"]}
    made = dataclasses.replace(delivery, evaluation={**delivery.evaluation, "run": run})
    assert "to make it again, with `--profile quick` `--set 'train.student.epochs=1'`." in model_card(made, None, None)
    assert "to make it again.\n" in model_card(delivery, None, None)


def test_foreign_text_is_no_markup_in_the_card(delivery: Delivery, tmp_path: Path) -> None:
    hostile = dataclasses.replace(delivery, name="x](http://evil)<img src=a>\n# title")
    card = (make(hostile, tmp_path / "out") / "MODEL_CARD.md").read_text()
    body = card.split("---\n", 2)[2]
    assert r"# x\](http://evil)\<img src=a\> \# title" in body
    assert not re.search(r"(?<!\\)<img", body)


def test_the_bill_of_materials_names_models_data_and_digests(delivery: Delivery, tmp_path: Path) -> None:
    out = make(delivery, tmp_path / "out")
    bill = json.loads((out / "bom.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    by_ref = {component["bom-ref"]: component for component in bill["components"]}
    q8 = by_ref["export:q8"]
    assert q8["modelCard"]["modelParameters"]["datasets"] == [{"ref": "data:prose"}]
    assert q8["modelCard"]["quantitativeAnalysis"]["performanceMetrics"][0]["confidenceInterval"] == {
        "lowerBound": "0.385",
        "upperBound": "0.497",
    }
    assert [ancestor["name"] for ancestor in q8["pedigree"]["ancestors"]] == ["smollm2", "strange"]
    expected = hashlib.sha256(b"GGUF" + bytes(60)).hexdigest()
    assert q8["components"][0]["hashes"] == [{"alg": "SHA-256", "content": expected}]
    assert by_ref["model:smollm2"]["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert "timestamp" not in bill["metadata"]


def test_ollama_gets_the_raw_prompt_and_the_stops(delivery: Delivery, tmp_path: Path) -> None:
    modelfile = (make(delivery, tmp_path / "out") / "serve" / "q8.Modelfile").read_text()
    assert "FROM ../models/q8/student.gguf\n" in modelfile
    assert 'TEMPLATE """Correct: {{ .Prompt }}\nFixed:"""\n' in modelfile
    assert 'PARAMETER stop "\\n"\n' in modelfile
    assert "PARAMETER num_predict 48\n" in modelfile


@pytest.mark.parametrize(
    "prompt", ["{% if text %}{{ text }}{% endif %}", "{{ text | upper }}", "{{ text }} {{ text }}", 'a """ {{ text }}']
)
def test_a_prompt_that_ollama_cannot_say_stays_bare(delivery: Delivery, tmp_path: Path, prompt: str) -> None:
    changed = dataclasses.replace(delivery, task=Task(kind="generate", input="text", target="fixed", prompt=prompt))
    modelfile = (make(changed, tmp_path / "out") / "serve" / "q8.Modelfile").read_text()
    assert 'TEMPLATE """{{ .Prompt }}"""\n' in modelfile


def test_scripts_parse(delivery: Delivery, tmp_path: Path) -> None:
    out = make(delivery, tmp_path / "out")
    compile((out / "serve" / "int4-onnx.py").read_text(), "int4-onnx.py", "exec")
    assert subprocess.run(["sh", "-n", out / "serve" / "q8-llama-server.sh"], check=False).returncode == 0


@pytest.mark.parametrize("name", ["../up", "/root", "a\nb", "..", "a/b", "nul", "a\u202eb", "c:x", ""])
def test_export_names_that_could_escape_are_refused(delivery: Delivery, tmp_path: Path, name: str) -> None:
    changed = dataclasses.replace(delivery, exports={name: delivery.exports["q8"]})
    with pytest.raises(StageFailed):
        make(changed, tmp_path / "out")


def test_a_symlink_in_an_export_is_refused(delivery: Delivery, tmp_path: Path) -> None:
    folder = tmp_path / "linked"
    folder.mkdir()
    (folder / "m.gguf").symlink_to("/etc/hostname")
    changed = dataclasses.replace(delivery, exports={"q8": Model(folder, ModelInfo(format="gguf", name="q8"))})
    with pytest.raises(StageFailed, match="no plain file"):
        make(changed, tmp_path / "out")
