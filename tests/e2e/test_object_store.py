"""A plan on object storage ends with the same artifacts as on files, in processes that share nothing but its URL."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from distillc.runtimes.store import open_store
from tests.faults.killing import digests

SPEC = """
distill: 1
name: light
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data:
  lines: {uses: jsonl, path: rows.jsonl, split: {by: row, test: 5}}
generate:
  pairs: {from: lines, steps: [{uses: corrupt, errors: common}]}
"""


def test_the_same_artifacts_on_object_storage_as_on_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "distill.yaml").write_text(SPEC)
    rows = [{"text": f"The {n} arrays are copied before the function returns a value."} for n in range(40)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "objects").mkdir()
    stores = [f"file://{tmp_path}/objects", str(tmp_path / "files")]
    command = [sys.executable, "-m", "distillc.cli.main"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    for place in stores:
        ended = subprocess.run(
            [*command, "run", "--store", place], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
    monkeypatch.chdir(tmp_path)  # where the home of a remote store is looked for
    found = [digests(open_store(place)) for place in stores]
    assert found[0] == found[1]
    assert len(found[0]) == 3
    assert open_store(stores[0]).verify().damage == ()
