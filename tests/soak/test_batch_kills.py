"""A run in batch mode that is killed again and again: one batch is made, no row is missing and none double."""

import random
import time
from pathlib import Path

import pytest

from distillc.testing.server import Script, serve
from tests.e2e.test_batches import UNTIL, batched, kill, listed, start, whole

STORES, KILLS = 3, 4


@pytest.mark.soak
def test_killed_at_random_there_is_one_batch_and_every_row_once(tmp_path: Path) -> None:
    draw, kills = random.Random(0), 0
    for number in range(STORES):
        folder = tmp_path / str(number)
        folder.mkdir()
        with serve(Script(), process=True, step=100) as server:  # 53 looks
            here = batched(folder, server)
            assert here.distillc("run", "distill.yaml", "--until", "prose").returncode == 0
            for _ in range(KILLS):
                process = start(here)
                time.sleep(draw.uniform(0.4, 3.0))
                if process.poll() is None:
                    kill(process)
                    kills += 1
            done = here.distillc(*UNTIL)
            assert done.returncode == 0, done.stderr
            whole(here)
            assert len(listed(server, "batches")) == 1
            assert listed(server, "files") == []
    print(f"{kills} kills over {STORES} runs: a batch each, nothing left behind")
    assert kills >= STORES
