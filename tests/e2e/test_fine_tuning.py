"""A model tuned on somebody's platform, by the command line alone: linted, planned, run, killed and resumed."""

import json
import os
import re
import signal
import subprocess
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from distillc.runtimes.store import open_store
from distillc.testing.server import Fault, Script, Served, serve
from distillc.testing.server.script import Jobs
from tests.e2e.a_place import KEY, APlace

JOBS = "/v1/fine_tuning/jobs"
BASE = "Qwen/Qwen3-4B"
ROWS, HELD_OUT, BATCH, EPOCHS = 40, 8, 16, 10
SPEC = """\
distill: 1
name: tuned
task: {{kind: generate, input: text, target: fixed, prompt: "Correct: {{{{ text }}}}"}}
decoding: {{max_tokens: 128}}
data: {{pairs: {{uses: jsonl, path: rows.jsonl, split: {{validation: {held_out}}}}}}}
models:
  open:
    {{uses: {teacher}, name: {base}, base_url: {url}, api_key: "${{env:TEACHER_KEY}}", system: Be brief.,
      price: {{input: 1, output: 1, trained: 0.4}}}}
train:
  student:
    model: open
    data: pairs
    validation: pairs.validation
    epochs: {epochs}
    batch: {batch}
    {more}
    trainer: {{uses: {trainer}, poll: 0.05}}
    losses: {{hard: cross_entropy}}
privacy: {{retention: {retention}}}
"""
NEBIUS = {"teacher": "nebius", "trainer": "nebius.fine_tuning", "more": "lora: {r: 16, alpha: 16}"}
OPENAI = {"teacher": "openai", "trainer": "openai.fine_tuning", "more": "engine: http"}


class Place(APlace):
    def posted(self, path: str = JOBS) -> list[dict[str, Any]]:
        return [call for call in self.server.calls(path) if call["method"] == "POST"]

    def student(self) -> tuple[Path, dict[str, Any]]:
        """The folder of the trained model, and what its stage says of it."""
        store = open_store(str(self.folder / "store"))
        [found] = [one for one in store.all() if one.kind == "train"]
        return store.directory(found), dict(found.meta)


def place(folder: Path, server: Served, retention: str = "any", **kind: str) -> Place:
    rows = [{"text": f"She go to school on day {n}.", "fixed": f"She goes to school on day {n}."} for n in range(ROWS + HELD_OUT)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    known = {"url": server.url, "base": BASE, "held_out": HELD_OUT, "epochs": EPOCHS, "batch": BATCH, "retention": retention}
    (folder / "distill.yaml").write_text(SPEC.format(**known, **kind), encoding="utf-8")
    return Place(folder, server)


def bill(here: Place) -> tuple[int, Decimal]:
    """Trained tokens and what they cost, as the ledger has them."""
    total = json.loads(here.distillc("cost", "--format", "json").stdout)["total"]
    return total["trained_tokens"], Decimal(total["usd"])


STEPS = 3  # 40 rows, 16 in a step
# By the server's rule (docs/testing-server.md), up to six letters, three digits or one sign are a token: 3 of the instructions, 11 of the
# prompt and 8 of the target.
TRAINED = (3 + 11 + 8) * ROWS * EPOCHS


def test_nebius_restores_the_eighth_of_ten_epochs_with_its_weights(tmp_path: Path) -> None:
    with serve(Script(keys=(KEY,), jobs=Jobs(names="../../{name}")), process=True, dialect="nebius") as server:
        here = place(tmp_path, server, retention="none", **NEBIUS)
        linted = here.distillc("lint", "-q", "distill.yaml")
        assert (linted.returncode, linted.stdout) == (0, ""), linted.stdout
        planned = here.distillc("plan", "distill.yaml", "--format", "json")
        assert planned.returncode == 0, planned.stdout + planned.stderr
        assert server.calls() == [], "a plan asks nobody"
        assert KEY not in planned.stdout
        done = here.distillc("run", "distill.yaml")
        assert done.returncode == 0, done.stderr
        assert re.search(r"student: ftjob-\S+ is succeeded\n", done.stderr) and "student: Step 3: training loss=2.114\n" in done.stderr
        [posted] = here.posted()
        totals = server.totals()
        deleted = [call for call in server.calls() if call["method"] == "DELETE"]
        assert bill(here) == (TRAINED, TRAINED * Decimal("0.4") / 1_000_000)
        again = here.distillc("run", "distill.yaml")
        assert again.returncode == 0 and len(here.posted()) == 1
    asked = posted["parameters"]
    assert asked["hyperparameters"] == {
        "n_epochs": 10, "batch_size": 16, "learning_rate": 1e-5, "warmup_ratio": 0.0, "weight_decay": 0.0, "max_grad_norm": 1.0,
        "packing": True, "context_length": 8192, "lora": True, "lora_r": 16, "lora_alpha": 16.0, "lora_dropout": 0.0,
    }  # fmt: skip
    assert (asked["model"], asked["seed"]) == (BASE, 0)
    assert len(deleted) == 2, "the rows for training and for validation"
    folder, meta = here.student()
    assert (meta["best_step"], meta["steps"]) == (8 * STEPS, 10 * STEPS)
    losses = {entry["step"] // STEPS: entry["validation_loss"] for entry in meta["history"]}
    assert losses[8] == 0.1991 and losses[10] == 0.2286 and len(losses) == 10  # as the public walk-through recorded them
    record = json.loads((folder / "fine_tuning.json").read_text(encoding="utf-8"))
    assert sorted(record["files"]) == ["adapter_config.json", "adapter_model.safetensors"]
    assert json.loads((folder / "weights/adapter_config.json").read_text(encoding="utf-8"))["r"] == 16
    assert not [path for path in tmp_path.rglob("adapter_*") if path.parent.name != "weights" and path.parent.name != "objects"]
    assert json.loads((folder / "endpoint.json").read_text(encoding="utf-8"))["name"].endswith(f":ckpt-step-{8 * STEPS}")
    assert meta["tokens"] == TRAINED == totals["totals"][f"{BASE} training"]["trained_tokens"]
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in kept if KEY.encode() in path.read_bytes()], "the key is nowhere"


def test_the_best_checkpoint_of_openai_is_asked_by_its_name(tmp_path: Path) -> None:
    with serve(Script(keys=(KEY,)), process=True, dialect="openai") as server:
        here = place(tmp_path, server, **OPENAI)
        with (tmp_path / "distill.yaml").open("a", encoding="utf-8") as spec:
            spec.write("generate: {more: {from: pairs.validation, steps: [{uses: answer, model: student}]}}\n")
        text = (tmp_path / "distill.yaml").read_text(encoding="utf-8").replace("base_url:", "dialect: openai, base_url:")
        (tmp_path / "distill.yaml").write_text(text, encoding="utf-8")
        done = here.distillc("run", "distill.yaml")
        assert done.returncode == 0, done.stderr
        [posted] = here.posted()
        asked = here.posted("/v1/chat/completions")
        deleted = [call for call in server.calls() if call["method"] == "DELETE"]
    assert posted["parameters"]["method"] == {
        "type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 10, "batch_size": 16}},
    }  # fmt: skip
    names = {call["parameters"]["model"] for call in asked}
    assert len(asked) == HELD_OUT and len(names) == 1
    assert names.pop().endswith(f":ckpt-step-{8 * STEPS}")
    assert asked[0]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert all(call["authorized"] for call in asked) and not deleted


@pytest.mark.parametrize(
    ("wanted", "faults"),
    [
        pytest.param("/v1/files", (Fault(kind="delay", seconds=2, path="/v1/files", times=2),), id="while rows are sent"),
        pytest.param(JOBS, (Fault(kind="slow", seconds=5, path=JOBS, times=1),), id="before the answer with the job's id is there"),
        pytest.param("/events", (), id="while the job runs"),
    ],
)
def test_killed_at_any_moment_one_job_is_made(tmp_path: Path, wanted: str, faults: tuple[Fault, ...]) -> None:
    with serve(Script(jobs=Jobs(seconds=30_000), faults=faults), process=True, dialect="nebius") as server:
        here = place(tmp_path, server, **NEBIUS)
        process = here.start("run", "distill.yaml")
        while not [call for call in server.calls() if call["path"].endswith(wanted)]:
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(0.2)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        before = len(here.posted())
        assert before == (0 if wanted == "/v1/files" else 1)
        done = here.distillc("run", "distill.yaml")
        assert done.returncode == 0, done.stderr
        assert len(here.posted()) == 1
    assert here.student()[1]["best_step"] == 8 * STEPS


def test_cancel_stops_what_would_go_on_billing_and_the_next_run_begins_anew(tmp_path: Path) -> None:
    with serve(Script(jobs=Jobs(ends="never")), process=True, dialect="nebius") as server:
        here = place(tmp_path, server, retention="none", **NEBIUS)
        process = here.start("run", "distill.yaml")
        waited_for_events(process, server, 1)
        cancelled = here.distillc("cancel")
        assert cancelled.returncode == 0, cancelled.stderr
        process.wait()
        [line] = cancelled.stdout.splitlines()
        assert line.startswith("fine_tuning/jobs ftjob-") and line.endswith(": cancelled")
        [asked] = [call for call in server.calls() if call["path"].endswith("/cancel")]
        assert (asked["status"], asked["authorized"]) == (200, True)
        assert len([call for call in server.calls() if call["method"] == "DELETE"]) == 2, "the rows do not stay there"
        server.change(Script())
        done = here.distillc("run", "distill.yaml")
        assert done.returncode == 0, done.stderr
        assert len(here.posted()) == 2
        billed = server.totals()["totals"][f"{BASE} training"]["trained_tokens"]
        assert bill(here)[0] == billed >= TRAINED, "both jobs"
    assert here.student()[1]["best_step"] == 8 * STEPS


def test_a_job_that_somebody_else_cancels_ends_the_run_and_the_next_one_begins_anew(tmp_path: Path) -> None:
    with serve(Script(jobs=Jobs(ends="never")), process=True, dialect="nebius") as server:
        here = place(tmp_path, server, **NEBIUS)
        first = here.start("run", "distill.yaml")
        waited_for_events(first, server, 1)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        second = here.start("run", "distill.yaml")
        waited_for_events(second, server, len(looks(server)) + 1)
        [job] = {call["path"].split("/")[4] for call in looks(server)}
        httpx.post(f"{server.url}/fine_tuning/jobs/{job}/cancel", json={}, headers={"authorization": "Bearer x"}).raise_for_status()
        assert second.wait(timeout=30) == 5
        assert len(here.posted()) == 1
        server.change(Script())
        assert here.distillc("run", "distill.yaml").returncode == 0
        assert len(here.posted()) == 2


def looks(server: Served) -> list[dict[str, Any]]:
    return [call for call in server.calls() if call["path"].endswith("/events")]


def waited_for_events(process: subprocess.Popen[bytes], server: Served, count: int) -> None:
    while len(looks(server)) < count:
        assert process.poll() is None
        time.sleep(0.02)


def test_a_job_that_is_not_known_any_more_is_forgotten_by_cancel(tmp_path: Path) -> None:
    with serve(Script(jobs=Jobs(ends="never")), process=True, dialect="nebius") as server:
        here = place(tmp_path, server, **NEBIUS)
        process = here.start("run", "distill.yaml")
        waited_for_events(process, server, 1)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        [file] = tmp_path.rglob("*.job.json")
        file.write_text(json.dumps(json.loads(file.read_text()) | {"id": "ftjob-deleted"}))
        server.change(Script())
        stuck = here.distillc("run", "distill.yaml")
        assert stuck.returncode == 5
        assert "it knows no job ftjob-deleted" in stuck.stderr and "`distillc cancel`" in stuck.stderr
        cancelled = here.distillc("cancel")
        assert cancelled.returncode == 0 and cancelled.stdout.endswith("nothing to cancel: it is not known there, and forgotten here\n")
        assert here.distillc("run", "distill.yaml").returncode == 0
        assert len(here.posted()) == 2


def test_cancel_fails_where_the_job_may_go_on(tmp_path: Path) -> None:
    busy = Fault(status=429, retry_after="7200", path="*/cancel")
    with serve(Script(jobs=Jobs(ends="never"), faults=(busy,)), process=True, dialect="nebius") as server:
        here = place(tmp_path, server, **NEBIUS)
        process = here.start("run", "distill.yaml")
        waited_for_events(process, server, 1)
        cancelled = here.distillc("cancel")
        process.wait()
    assert cancelled.returncode == 5 and ": may go on: " in cancelled.stdout


def test_a_job_that_fails_says_why_and_the_next_run_makes_another(tmp_path: Path) -> None:
    with serve(Script(jobs=Jobs(ends="failed")), process=True, dialect="nebius") as server:
        here = place(tmp_path, server, retention="none", **NEBIUS)
        failed = here.distillc("run", "distill.yaml")
        assert failed.returncode == 5 and "Traceback" not in failed.stderr
        assert "failed: The server was told to fail." in failed.stderr and "student" in failed.stderr
        assert len([call for call in server.calls() if call["method"] == "DELETE"]) == 2, "the rows do not stay there"
        assert bill(here)[0] == TRAINED // 2, "half of it was done, and is billed"
        server.change(Script())
        assert here.distillc("run", "distill.yaml").returncode == 0
        assert len(here.posted()) == 2
        assert bill(here)[0] == TRAINED // 2 + TRAINED


def test_a_job_that_could_cost_more_than_the_budget_is_not_made(tmp_path: Path) -> None:
    """At most a token a byte, at $0.4 a million. A row has 9 bytes of instructions, 35 of prompt and 28 of target, two more where its day
    has two digits, as 30 to 38 of the 40 have, and 121 in its line around them: 7,780 to 7,796 bytes in all rows, ten times."""
    with serve(Script(), process=True, dialect="nebius") as server:
        here = place(tmp_path, server, **NEBIUS)
        spec = (tmp_path / "distill.yaml").read_text(encoding="utf-8")
        (tmp_path / "distill.yaml").write_text(spec + "budget: {usd: 0.001}\n", encoding="utf-8")
        stopped = here.distillc("run", "distill.yaml")
        assert stopped.returncode == 4
        [cost] = re.findall(r"the job may cost \$([0-9.]+), and \$0.001 may be spent", stopped.stderr)
        assert Decimal("0.03112") <= Decimal(cost) <= Decimal("0.031184")
        (tmp_path / "distill.yaml").write_text(spec + "budget: {tokens: 77000}\n", encoding="utf-8")
        stopped = here.distillc("run", "distill.yaml")
        assert stopped.returncode == 4
        [tokens] = re.findall(r"the job may be trained on ([0-9,]+) tokens, and 77,000 are left", stopped.stderr)
        assert 77_800 <= int(tokens.replace(",", "")) <= 77_960
        assert server.calls() == []


def test_what_the_platform_cannot_do_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with serve(Script(), process=True, dialect="nebius") as server:
        here = place(tmp_path, server, **NEBIUS)
        text = (tmp_path / "distill.yaml").read_text(encoding="utf-8")
        soft = text.replace("{hard: cross_entropy}", "{soft: {uses: forward_kl, teacher: open}}").replace("epochs: 10", "epochs: 40")
        (tmp_path / "distill.yaml").write_text(soft, encoding="utf-8")
        refused = here.distillc("run", "distill.yaml")
        assert server.calls() == []
    shown = refused.stdout + refused.stderr
    assert refused.returncode == 2
    assert "distill.yaml:19:14 error[D451]: trainer `nebius.fine_tuning` takes no soft targets" in shown
    assert "distill.yaml:15:13 error[D455]: trainer `nebius.fine_tuning` takes no `epochs` of 40" in shown


def test_the_walk_through_runs_as_its_readme_says(tmp_path: Path) -> None:
    """Examples are no dead text: `examples/nebius` lints without a key, and its profile `trial` ends in a tuned student."""
    example = Path(__file__).parents[2] / "examples" / "nebius" / "distill.yaml"
    (tmp_path / "distill.yaml").write_bytes(example.read_bytes())
    with serve(Script(), process=True, dialect="nebius") as server:
        here = Place(tmp_path, server)
        linted = here.distillc("lint", "-q", "distill.yaml")
        assert (linted.returncode, linted.stdout) == (0, ""), linted.stdout
        urls = [f"--set=models.{model}.base_url={server.url}" for model in ("teacher", "base")]
        keys = [f'--set=models.{model}.api_key="${{env:TEACHER_KEY}}"' for model in ("teacher", "base")]
        done = here.distillc("run", "distill.yaml", "--profile", "trial", *urls, *keys)
        assert done.returncode == 0, done.stderr
        assert len(here.posted("/v1/batches")) == len(here.posted()) == 1
        assert here.posted("/v1/chat/completions") == []
        rows = json.loads(here.distillc("cost", "--format", "json").stdout)["rows"]
        trained = server.totals()["totals"][f"{BASE} training"]["trained_tokens"]
        assert sum(Decimal(row["usd"]) for row in rows if row["stage"] == "student") == trained * Decimal("0.4") / 1_000_000 > 0
        [asked] = [call["parameters"]["hyperparameters"] for call in here.posted()]
    recorded = {"n_epochs": 10, "batch_size": 32, "lora": True, "lora_r": 16, "lora_alpha": 16, "packing": True}  # and what it was given:
    recorded |= {"learning_rate": 1e-5, "warmup_ratio": 0, "weight_decay": 0, "lora_dropout": 0, "max_grad_norm": 1, "context_length": 8192}
    assert asked == recorded
    assert here.student()[1]["history"][7]["validation_loss"] == 0.1991
