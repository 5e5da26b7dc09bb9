"""Runs a spec as a process, kills it with SIGKILL at random moments, and compares what is left with an unkilled run.

As a program: `python -m tests.faults.killing SPEC --profile tiny --kills 20 [--seed 0]`. Kills go on over as many fresh stores as
it takes; each store ends with a run that nobody kills. Prints what it did and exits 1 where a digest differs.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from distillc.runtimes.store import Sealed, Store, open_store
from distillc.runtimes.store.sealed import SHARD

FINE = (0, 1, 3)  # a gate may say no to random weights: the run is whole all the same


@dataclass
class Killed:
    """`differences` name a stage and the two digests; `rounds` counts stores that were brought to their end."""

    kills: int = 0
    rounds: int = 0
    seconds: float = 0.0
    differences: list[str] = field(default_factory=list)


def command(spec: Path, store: Path, options: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "distillc.cli.main", "run", str(spec), "--store", str(store), *options]


def run(spec: Path, store: Path, options: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(spec, store, options), capture_output=True, text=True, check=False)


def run_and_kill(spec: Path, store: Path, options: Sequence[str], after: float) -> bool:
    """True if the driver was at work still when it was killed; its workers are the kernel's to end."""
    process = subprocess.Popen(command(spec, store, options), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _, said = process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    assert process.returncode in FINE, said
    return False


def digests(store: Store) -> dict[str, str]:
    """Stage to digest, without what has measured times in it: `measure`, and all that reads it."""
    sealed = {one.key: one for one in store.all() if one.kind != SHARD}
    timed: dict[str, bool] = {}

    def is_timed(one: Sealed) -> bool:
        if one.key not in timed:
            timed[one.key] = one.kind == "measure" or any(is_timed(sealed[key]) for key in one.inputs.values())
        return timed[one.key]

    return {one.stage: one.digest for one in sealed.values() if not is_timed(one)}


def kill_and_compare(spec: Path, folder: Path, *, options: Sequence[str] = (), kills: int, seed: int = 0) -> Killed:
    """Raises AssertionError where a run fails, or a store is damaged."""
    draw = random.Random(seed)
    found = Killed()
    started = time.monotonic()
    unkilled = run(spec, folder / "unkilled", options)
    whole = time.monotonic() - started
    assert unkilled.returncode in FINE, unkilled.stderr
    expected = digests(open_store(str(folder / "unkilled")))
    while found.kills < kills:
        store = folder / f"killed-{found.rounds}"
        # Short enough that a store takes several kills on its way, so that each part of a run is hit; long enough to get on.
        while found.kills < kills and run_and_kill(spec, store, options, draw.uniform(0.05, 0.35) * whole):
            found.kills += 1
        ended = run(spec, store, options)
        assert ended.returncode in FINE, ended.stderr
        result = open_store(str(store))
        damage = result.verify().damage
        assert not damage, damage
        actual = digests(result)
        found.rounds += 1
        found.differences += [
            f"{stage}: {expected.get(stage)} unkilled, {actual.get(stage)} after kills (store {store.name})"
            for stage in sorted({*expected, *actual})
            if expected.get(stage) != actual.get(stage)
        ]
    found.seconds = time.monotonic() - started
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="kill a run at random moments and compare what is left with an unkilled one")
    parser.add_argument("spec", type=Path)
    parser.add_argument("--profile")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    options = ["--profile", args.profile] if args.profile else []
    with tempfile.TemporaryDirectory() as folder:
        found = kill_and_compare(args.spec, Path(folder), options=options, kills=args.kills, seed=args.seed)
    print(
        f"{found.kills} kills, {found.rounds} stores, {found.seconds:.0f} s, {len(found.differences)} differences",
        *found.differences,
        sep="\n",
    )
    return 1 if found.differences else 0


if __name__ == "__main__":
    sys.exit(main())
