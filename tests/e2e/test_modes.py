"""A batch that is out, and what a run, another `mode`, `status`, `gc` and `cancel` make of it: by the command line alone."""

import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from distillc.testing.server import Script, Served, serve
from tests.e2e.test_api import Place, place, prompts

UNTIL = ("run", "distill.yaml", "--until", "answers")
ROWS = 20


def written(here: Place, mode: str) -> None:
    spec = here.folder / "distill.yaml"
    text = re.sub(r"    (mode: \w+\n    )?engine:.*\n", f"    mode: {mode}\n    engine: {{uses: http, poll: 0.05}}\n", spec.read_text())
    spec.write_text(text, encoding="utf-8")


def looked_at(server: Served) -> set[str]:
    """The batches that somebody has asked about."""
    return {call["path"].split("/")[3] for call in server.calls() if call["path"].startswith("/v1/batches/batch_")}


def interrupted(here: Place, server: Served) -> str:
    """What a run says in the end that Ctrl-C has ended while its batch was out."""
    process = subprocess.Popen(
        here.command(*UNTIL), cwd=here.folder, env=here.environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not looked_at(server):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    return said


def test_what_is_out_is_named_kept_and_collected_before_its_rows_are_asked_otherwise(tmp_path: Path) -> None:
    with serve(Script(), process=True, step=0) as server:  # the server's clock stands still: the batch runs until the test says so
        here = place(tmp_path, server, rows=ROWS)
        written(here, "batch")
        said = interrupted(here, server).splitlines()
        [batch] = looked_at(server)
        job = f"batches {batch} at {server.url}"
        assert said[-2] == f"answers: {job} is not collected yet"
        assert "`distillc cancel`" in said[-1]
        status = here.distillc("status").stdout
        first = status.partition(":")[0]
        assert f"  answers: {job} is not collected yet\n  to stop what is out: `distillc cancel {first}`\n" in status

        assert here.distillc("run", "distill.yaml", "--until", "prose").returncode == 0, "a newer run, which has no answers"
        freed = here.distillc("gc", "--keep-last", "1")
        assert f"kept the work of {job}, which is not collected yet; `distillc cancel {first}` stops it\n" in freed.stdout

        written(here, "sync")
        refused = here.distillc(*UNTIL)
        assert refused.returncode == 5
        assert f"{job} is out since an earlier run" in refused.stderr
        assert here.asked() == []

        written(here, "batch")
        server.advance(6000)
        done = here.distillc(*UNTIL)
        assert done.returncode == 0, done.stderr
        assert here.sealed()[1]["kept"] == ROWS
        assert here.asked() == []
        assert len([call for call in server.calls("/v1/batches") if call["method"] == "POST"]) == 1
        assert "is not collected yet" not in here.distillc("status").stdout + here.distillc("gc").stdout


def test_once_the_batch_is_cancelled_its_rows_are_asked_otherwise(tmp_path: Path) -> None:
    with serve(Script(), process=True, step=0) as server:
        here = place(tmp_path, server, rows=ROWS)
        written(here, "batch")
        interrupted(here, server)
        assert here.distillc("cancel").returncode == 0
        written(here, "sync")
        done = here.distillc(*UNTIL)
        assert done.returncode == 0, done.stderr
        assert Counter(here.asked()) == Counter(prompts(ROWS))
