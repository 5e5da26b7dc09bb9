"""The fuzzer of the front end for a while. Its first inputs go through in every run of the tests, so that it works when it is called."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.soak.front_end import SEEDS, front_end

RUNS = 20_000
"""A quarter of an hour on one core: 20 a second, for every line reports that it was reached."""


@pytest.mark.parametrize("number", range(8))
def test_what_it_begins_with(number):
    seeds = SEEDS[number::8]
    assert len(seeds) > 20
    for path in seeds:
        front_end(path.read_bytes() + b"\0seed=1\0train.a.epochs=[")


@pytest.mark.soak
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed: pip install atheris")
def test_no_text_makes_the_front_end_raise(tmp_path):
    script = Path(__file__).with_name("fuzz_front_end.py")
    done = subprocess.run([sys.executable, str(script), f"-runs={RUNS}"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
