"""Bad days: a full disk, rotten bytes, two runs at once, Ctrl-C. Real processes, real signals, a plan without models."""

import json
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from distillc.runtimes.store import open_store
from tests.faults.killing import command, digests, run

SPEC = """
distill: 1
name: light
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data:
  lines: {uses: jsonl, path: rows.jsonl, split: {by: row, validation: 5, test: 5}}
generate:
  pairs: {from: lines, steps: [{uses: corrupt, errors: common}]}
curate:
  clean: {from: pairs, steps: [dedup]}
"""
WORDS = ["array", "matrix", "tensor", "vector", "axis", "kernel", "graph", "node", "edge", "token", "buffer", "thread", "socket", "queue"]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "distill.yaml").write_text(SPEC)
    rows = [{"text": f"The {a} is copied into the {b} before it returns a value."} for a in WORDS for b in WORDS if a != b]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "distill.yaml"


def verify(store: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "distillc.cli.main", "verify", "--store", str(store), *options], capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limit there")
def test_a_full_disk_is_one_clear_error_and_the_run_goes_on_when_there_is_space(spec: Path, tmp_path: Path) -> None:
    import resource

    # A file that may not grow stands for a disk that is full: the same place in the code, the same errors from every library.
    with (tmp_path / "rows.jsonl").open("a") as rows:
        digits = random.Random(0)
        rows.writelines(json.dumps({"text": f"The value is {digits.randbytes(4000).hex()}."}) + "\n" for _ in range(100))
    full = subprocess.run(
        command(spec, tmp_path / "store", []),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert full.returncode == 5
    assert re.search(r"error: \S.*: the disk is full", full.stderr)
    assert "then run again" in full.stderr
    assert "Traceback" not in full.stderr
    assert verify(tmp_path / "store").returncode == 0
    assert run(spec, tmp_path / "store", []).returncode == 0
    assert run(spec, tmp_path / "other", []).returncode == 0
    assert digests(open_store(str(tmp_path / "store"))) == digests(open_store(str(tmp_path / "other")))


def test_rotten_bytes_are_found_named_forgotten_and_made_again(spec: Path, tmp_path: Path) -> None:
    assert run(spec, tmp_path / "store", []).returncode == 0
    store = open_store(str(tmp_path / "store"))
    before = digests(store)
    ingest = next(one for one in store.all() if one.stage == "lines/ingest")
    blob = store.home / "blobs" / ingest.files["train-00000.parquet"].sha256
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.chmod(0o644)
    blob.write_bytes(data)
    found = verify(store.home)
    assert found.returncode == 1
    assert f"blobs/{blob.name} has other bytes than were sealed (of lines/ingest)" in found.stdout
    assert json.loads(verify(store.home, "--format", "json").stdout)["problems"][0]["stages"] == ["lines/ingest"]
    assert verify(store.home, "--forget").returncode == 0
    assert verify(store.home).returncode == 0
    assert run(spec, store.home, []).returncode == 0
    assert digests(open_store(str(store.home))) == before


def started(spec: Path, store: Path) -> subprocess.Popen[str]:
    """A run that is at work: its first stage has begun."""
    process = subprocess.Popen(command(spec, store, []), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = []
    while line := process.stderr.readline():
        said.append(line)
        if line.startswith("lines/ingest:"):
            return process
    raise AssertionError("".join(said))


@pytest.mark.skipif(sys.platform == "win32", reason="signals are different there")
def test_a_second_run_is_locked_out_and_a_killed_one_leaves_no_lock(spec: Path, tmp_path: Path) -> None:
    first = started(spec, tmp_path / "store")
    first.send_signal(signal.SIGSTOP)  # it holds the lock for as long as the second takes
    second = run(spec, tmp_path / "store", [])
    first.kill()
    first.wait()
    assert second.returncode == 2
    assert f"process {first.pid}" in second.stderr
    assert run(spec, tmp_path / "store", []).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals are different there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so_and_goes_on(spec: Path, tmp_path: Path, number: signal.Signals) -> None:
    first = started(spec, tmp_path / "store")
    time.sleep(0.1)
    first.send_signal(number)
    _, said = first.communicate(timeout=20)
    assert first.returncode == 130
    assert "interrupted; run again to go on from here" in said
    assert "Traceback" not in said
    assert verify(tmp_path / "store").returncode == 0
    again = run(spec, tmp_path / "store", [])
    assert again.returncode == 0
    finished = run(spec, tmp_path / "store", [])
    assert (finished.returncode, finished.stderr) == (0, "nothing to do: all 4 stages are done already\n")


def test_a_leaf_that_changes_under_a_saved_plan_is_named(spec: Path, tmp_path: Path) -> None:
    saved = subprocess.run(
        [sys.executable, "-m", "distillc.cli.main", "plan", str(spec), "--format", "json"], capture_output=True, text=True, check=True
    )
    plan = tmp_path / "plan.json"
    plan.write_text(saved.stdout)
    with (tmp_path / "rows.jsonl").open("a") as rows:
        rows.write(json.dumps({"text": "One more sentence came in."}) + "\n")
    failed = run(plan, tmp_path / "store", [])
    assert failed.returncode == 5
    assert "rows.jsonl changed since the plan was made" in failed.stderr
